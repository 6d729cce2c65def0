"""Lexicons: the words of a language that the rules know, checked as they are loaded.

The format is described in `lexicons/README.md`; unknown keys are refused by name.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Annotated, Final, TypeAlias

import msgspec

Pattern: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"\S")]
ANY: Final = "any"  # the lexicon that holds for all languages

#: The lists of a lexicon, and the stances it has lists for.
SIMPLE: Final = (
    *("first", "negation", "condition", "other", "harm", "undergo", "target", "scene"),
    *("him", "recount", "spared", "speech", "unrelated"),
)
GRADED: Final = ("testimony", "support", "call", "news", "opposition", "spam")
GRADES: Final = ("sure", "hint", "answer")

_FOLDER: Final = files("streams.stance") / "lexicons"


class Cues(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Patterns that speak for a stance: `sure` alone decides, a `hint` where nothing is sure."""

    sure: list[Pattern] = []
    hint: list[Pattern] = []
    answer: list[Pattern] = []  # testimony only: as the whole of an answer to a root post


class Lexicon(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One language.  Lists of patterns; see `lexicons/README.md` for what each is for."""

    lang: str
    reach: int = 5  # words between two cues that belong together
    first: list[Pattern] = []
    negation: list[Pattern] = []
    condition: list[Pattern] = []
    other: list[Pattern] = []
    harm: list[Pattern] = []
    undergo: list[Pattern] = []
    target: list[Pattern] = []
    scene: list[Pattern] = []
    him: list[Pattern] = []
    recount: list[Pattern] = []
    spared: list[Pattern] = []
    speech: list[Pattern] = []
    unrelated: list[Pattern] = []
    testimony: Cues = Cues()
    support: Cues = Cues()
    call: Cues = Cues()
    news: Cues = Cues()
    opposition: Cues = Cues()
    spam: Cues = Cues()


@cache
def lexicons() -> tuple[Lexicon, ...]:
    """All that ship with the package, by language."""
    found = sorted(path.name for path in _FOLDER.iterdir() if path.name.endswith(".toml"))
    return tuple(parsed((_FOLDER / name).read_text(encoding="utf-8"), name) for name in found)


def parsed(text: str, name: str) -> Lexicon:
    """Raises `ValueError` that names the file."""
    try:
        lexicon = msgspec.convert(tomllib.loads(text), Lexicon)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise ValueError(f"lexicon {name}: {error}") from error
    if name != f"{lexicon.lang}.toml":
        raise ValueError(f"lexicon {name}: lang is {lexicon.lang!r}")
    return lexicon
