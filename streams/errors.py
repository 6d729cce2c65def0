"""Errors that a user can do something about: one line each, no traceback."""

from __future__ import annotations

from typing import ClassVar


class UserError(Exception):
    """Something outside the program is wrong; the message says what, and what to do.

    The command line prints the message and exits with `exit_code`: 1, failed.
    """

    exit_code: ClassVar[int] = 1


class UsageError(UserError):
    """The command or its configuration is wrong: exit code 2, bad usage."""

    exit_code: ClassVar[int] = 2
