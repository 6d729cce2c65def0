"""When a post was made, from its uid alone: ids that carry their time."""

from __future__ import annotations

from typing import Final

# https://github.com/twitter-archive/snowflake: 41 bits of ms since this moment, then 22 others.
_X_EPOCH_MS: Final = 1_288_834_974_657
_X_FIRST: Final = 29_700_859_247  # the first id of that kind, 2010-11-04; smaller ones were counted
# https://atproto.com/specs/tid: 53 bits of µs since 1970, then 10 others, base 32 in this alphabet.
_TID_DIGITS: Final = {digit: n for n, digit in enumerate("234567abcdefghijklmnopqrstuvwxyz")}
_TID_LENGTH: Final = 13


def born_ms(uid: str) -> int | None:
    """ms UTC; None where the id does not say.

    >>> born_ms("x:919659438700670976")
    1508098871289
    """
    platform, _, name = uid.partition(":")
    if platform == "x":
        # `isdecimal` knows other digits than ASCII's, too; int() does as well.
        number = int(name) if name.isdecimal() and len(name) <= 19 else 0
        return (number >> 22) + _X_EPOCH_MS if number >= _X_FIRST else None
    if platform == "bluesky":
        return _tid_ms(name.rpartition("/")[2])
    return None


def _tid_ms(name: str) -> int | None:
    if len(name) != _TID_LENGTH:
        return None
    number = 0
    for char in name:
        digit = _TID_DIGITS.get(char)
        if digit is None:
            return None
        number = number << 5 | digit
    return (number >> 10) // 1000 if number >> 63 == 0 else None
