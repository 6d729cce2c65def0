"""The fault run: real processes, real signals, and counts that have to be exact all the same."""
