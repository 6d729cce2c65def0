"""The command line."""

from streams.cli.commands import app, main

__all__ = ["app", "main"]
