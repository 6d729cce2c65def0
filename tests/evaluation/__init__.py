"""What the detectors are worth: figures on reference data, printed by `python -m`."""
