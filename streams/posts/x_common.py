"""What X's formats have in common."""

from __future__ import annotations

import re
from typing import Final

from streams.posts.post import Unreadable

_RT: Final = re.compile(r"RT @\w{1,20}: ")
LARGEST: Final = (1 << 63) - 1  # what JSON readers and Redis take


def uid_of(number: str) -> str:
    """The uid of an X id: a positive 64-bit integer in decimal digits."""
    if len(number) > 19 or not (number.isascii() and number.isdigit()):
        raise Unreadable("field", f"{number[:40]!r} is no id of X")
    return "x:" + number


def number(value: int | None) -> int | None:
    """A count, or None where it cannot be one."""
    return value if value is not None and 0 <= value <= LARGEST else None


def without_rt(text: str) -> str:
    """The text of a repost whose subject was not sent along: without `RT @name: `."""
    match = _RT.match(text)
    return text[match.end() :] if match else text
