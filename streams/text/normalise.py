"""Texts and tags made comparable.  Never shown, never counted under: for matching only."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from functools import lru_cache
from typing import Final

FOLDS: Final = ("marks", "hamza")

# Unicode's Default_Ignorable_Code_Point: soft hyphen, joiners, bidi marks, variation selectors, ...
_IGNORABLE: Final = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]+"
)
# Accents of Latin, Greek and Cyrillic, points of Hebrew, vowels of Arabic; not the marks that make
# other letters of kana, Thai or Indic scripts.
_MARKS: Final = re.compile(
    "[\u0300-\u036f\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u064b-\u0652"
    "\u0656-\u065f\u0670\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed]+"
)
_HAMZA: Final = re.compile("[\u0653-\u0655]+")  # madda and hamza on a carrier, once decomposed
_URL: Final = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)
_MENTIONS: Final = re.compile(r"^(?:\s*\.?@[\w.-]+(?:@[\w.-]+)?[,:]?)+")


def without_ignorables(text: str) -> str:
    """Without what no reader sees: joiners, bidi marks, variation selectors."""
    return text if text.isascii() else _IGNORABLE.sub("", text)


def folded(text: str, folds: Collection[str] = ()) -> str:
    """NFKC and casefold without ignorable characters; `folds` (of `FOLDS`) drops more.

    "marks" makes `también` and `tambien` one, "hamza" `أنا` and `انا`.
    """
    if text.isascii():
        return text.lower()
    text = unicodedata.normalize("NFKC", without_ignorables(text)).casefold()
    if not folds or text.isascii():
        return unicodedata.normalize("NFKC", text)
    text = unicodedata.normalize("NFD", text)
    if "marks" in folds:
        text = _MARKS.sub("", text)
    if "hamza" in folds:
        text = _HAMZA.sub("", text)
    return unicodedata.normalize("NFKC", text)


@lru_cache(maxsize=65_536)
def folded_tag(tag: str, folds: frozenset[str]) -> str:
    """A canonical hashtag as campaigns compare it."""
    return folded(tag, folds)


def own_words(text: str) -> str:
    """A text without the links in it and the accounts that it is addressed to."""
    if "://" in text or "www." in text:
        text = _URL.sub(" ", text)
    return _MENTIONS.sub("", text) if "@" in text else text
