"""`streams demo`: the whole pipeline on this machine, and the first day of a campaign replayed."""

from streams.demo.options import Options
from streams.demo.run import run_demo

__all__ = ["Options", "run_demo"]
