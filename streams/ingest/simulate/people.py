"""Who posts: a crowd that is drawn from again and again, most of it with few followers."""

from __future__ import annotations

from typing import Final

from streams.ingest.simulate.dice import Dice
from streams.ingest.simulate.draft import Author

_VERIFIED: Final = 0.024  # 9,642 of 395,030 posts of 16 October
# Where people say they live: nothing that is a place, so that a country comes from places only.
_LOCATIONS: Final = ("", "", "", "", "", "the internet", "she/her", "over there", "☕", "home")


class People:
    """Authors by number; the same number is always the same author."""

    def __init__(self, dice: Dice, posts: int) -> None:
        self._dice = dice
        self._size = max(10, int(posts * 0.8))

    def someone(self) -> Author:
        """A few of the crowd post often, most once."""
        share = self._dice.random()
        return self.author(int(self._size * share * (0.3 + 0.7 * share)))

    def author(self, number: int) -> Author:
        mixed = (number + 1) * 2654435761 & 0xFFFFFFFF  # Knuth's multiplicative hash
        verified = mixed / 0x100000000 < _VERIFIED
        followers = (mixed >> 7) % 1800 if mixed & 7 else (mixed >> 7) % 60_000
        return Author(
            3_000_000 + number * 37,
            f"user_{number:x}",
            followers * 40 if verified else followers,
            verified,
            _LOCATIONS[(mixed >> 11) % len(_LOCATIONS)],
        )
