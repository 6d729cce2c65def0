"""Any number of invented campaigns, for measurements and tests: no real movement is among them.

A half of the words of their phrases and calls are everyday words of the neutral posts, so that most
posts hold a piece of some campaign's phrase, and a whole one hardly ever.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from streams.campaigns import Campaign, load
from tests.benchmarks.neutral import WORDS

_CONSONANTS: Final = "bcdfgklmnprstvz"
_LANGUAGES: Final = ("en", "es", "pt", "fr", "de", "ar", "ja")
_CALL_WORDS: Final = 24


def invented(count: int, seed: int = 1) -> list[Campaign]:
    """`many-0`, `many-1`, …: each has six hashtags, 14 phrases, three calls and a root post."""
    dice = random.Random(seed)
    return [_invented(number, dice) for number in range(count)]


def many(count: int) -> list[Campaign]:
    """`metoo`, which the measured posts belong to, among `count` campaigns."""
    others = invented(count - 1)
    middle = len(others) // 2
    return [*others[:middle], load("metoo"), *others[middle:]]


def merged(campaigns: Sequence[Campaign]) -> Campaign:
    """One campaign with all their hashtags, and no phrases."""
    tags = [tag for campaign in campaigns for tag in campaign.all_hashtags]
    return msgspec.convert(
        {"name": "all", "version": "1", "hashtags": {"all": tags}, "roots": []}, Campaign
    )


def _invented(number: int, dice: random.Random) -> Campaign:
    def word() -> str:
        return "".join(
            dice.choice(_CONSONANTS) + dice.choice("aeiou") for _ in range(dice.randint(2, 4))
        )

    def phrase(lang: str) -> str:
        pair = [dice.choice(WORDS[lang].split()), word()]
        dice.shuffle(pair)
        return " ".join(pair)

    def call(lang: str) -> str:
        everyday = WORDS[lang].split()
        words = [dice.choice([*everyday, word(), word()]) for _ in range(_CALL_WORDS)]
        return " ".join(words).capitalize() + "."

    values: dict[str, Any] = {
        "name": f"many-{number}",
        "version": "1",
        "hashtags": {
            "en": [f"{word()}{number}", f"{word()}_{number}", f"{word()}{word()}"],
            "es": [f"{word()}é{number}"],
            "ja": [f"{dice.choice(WORDS['ja'].split())}{number}の"],
            "ar": [f"{dice.choice(WORDS['ar'].split())}_{number}"],
        },
        "phrases": {lang: [phrase(lang), phrase(lang)] for lang in _LANGUAGES},
        "context": {"en": [word(), word()], "es": [word()]},
        "calls": {"en": [call("en"), call("en")], "es": [call("es")]},
        "roots": [f"x:{910_000_000_000_000_000 + number}"],
        "thresholds": {"page": 10.0},
        "milestones": [1_000],
    }
    return msgspec.convert(values, Campaign)
