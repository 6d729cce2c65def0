"""Words and sentences of a text, phrases in it, and what a text with a phrase in it must hold."""

from __future__ import annotations

import re
import string
import unicodedata
from collections.abc import Collection, Iterable
from itertools import product
from math import prod
from typing import Final, NamedTuple, TypeAlias

from streams.text.normalise import folded, own_words

Words: TypeAlias = tuple[str, ...]

# Scripts that are written without spaces: each letter is a word.
_UNSPACED: Final = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
)
WORD: Final = re.compile(
    rf"[{_UNSPACED}]|(?:(?![{_UNSPACED}])[^\W_])(?:(?![{_UNSPACED}])[^\W_]|[\u0900-\u0dff])*"
)
_SENTENCE: Final = re.compile(r"[.!?:;\n\r\u2028\u2029\u3002\u061b\u061f\u0964\u05c3]+")

# `Me, “TOO”!` -> `metoo`: what the anchors below are looked for in.
_LOWER: Final = bytes.maketrans(string.ascii_uppercase.encode(), string.ascii_lowercase.encode())
_KEPT: Final = f"{string.ascii_letters}{string.digits}\0"
_DROPPED: Final = bytes(set(range(128)) - set(_KEPT.encode()))
# The same of other signs: Latin-1's, accents, points of Hebrew, Arabic's signs and vowels,
# U+2000-2BFF, CJK's, variation selectors, full-width punctuation, emoji.  One set of characters:
# alternatives of UTF-8's bytes took 1.8 times as long.
_SIGNS: Final = re.compile(
    "[\u0080-\u00bf\u0300-\u036f\u0591-\u05c7\u060c\u0610-\u061b\u061f\u064b-\u065f\u0670"
    "\u2000-\u2bff\u3000-\u303f\ufe00-\ufe3f\uff00-\uff0f\uff1a-\uff20\U0001f000-\U0001ffff]+"
)
# Bytes of letters that hide a word: styled and full-width ones.
DISGUISES: Final = ("\U0001d400".encode()[:2], "\uff21".encode()[:2], "\uff54".encode()[:2])
_ENOUGH: Final = 4  # ASCII letters of a piece that are seldom in other words; of other scripts 3
_MOST_FORMS: Final = 32  # of one piece
_PIECE: Final = 16  # bytes of a call's pieces: two or three words


class Sentences(NamedTuple):
    """A text's words, and where its sentences begin among them (the first at 0) and end."""

    words: Words
    bounds: tuple[int, ...]  # 0, end of the first sentence, ..., len(words)


def sentences(text: str, folds: Collection[str] = ()) -> Sentences:
    """Folded words, without links, accounts in front, punctuation and emoji."""
    words: list[str] = []
    bounds = [0]
    for part in _SENTENCE.split(folded(own_words(text), folds)):
        words += WORD.findall(part)
        if len(words) > bounds[-1]:
            bounds.append(len(words))
    return Sentences(tuple(words), tuple(bounds))


class Phrases:
    """A set of phrases, to be found as whole words."""

    def __init__(self, texts: Iterable[str], folds: Collection[str] = ()) -> None:
        self._phrases = {sentences(text, folds).words for text in texts} - {()}
        self._lengths = sorted({len(phrase) for phrase in self._phrases})
        self._first = {phrase[0] for phrase in self._phrases}

    @property
    def lines(self) -> set[bytes]:
        """Each phrase as it stands in a `line`."""
        return {line(phrase) for phrase in self._phrases}

    def __contains__(self, words: object) -> bool:
        return words in self._phrases

    def is_all(self, text: Sentences) -> bool:
        """The text is a phrase, or the same again and again, and nothing else."""
        words = text.words
        if words in self._phrases:
            return True
        parts = {words[start:end] for start, end in spans(text)}
        return len(parts) == 1 and parts <= self._phrases

    def opens(self, words: Words) -> bool:
        return any(words[:length] in self._phrases for length in self._lengths)

    def inside(self, words: Words) -> bool:
        return bool(self._first) and any(
            word in self._first and self.opens(words[at : at + self._lengths[-1]])
            for at, word in enumerate(words)
        )

    def found(self, words: Words) -> list[str]:
        """The phrases that stand in a text, in order."""
        return [
            " ".join(words[at : at + length])
            for at in range(len(words))
            for length in self._lengths
            if words[at : at + length] in self._phrases
        ]


def spans(text: Sentences) -> zip[tuple[int, int]]:
    """Start and end of each sentence."""
    return zip(text.bounds, text.bounds[1:], strict=False)


def line(words: Words) -> bytes:
    """Words in one line, each between two spaces."""
    return f" {' '.join(words)} ".encode()


def squeezed(text: str) -> bytes:
    """A text's letters and digits, in UTF-8 and without what stands between them.

    Texts may be joined by NUL before, which stays.  What reads as a phrase has that phrase's
    letters side by side in here, whatever stands between its words: 0.5 to 1.5 µs, where folding a
    text takes up to 16.
    """
    if not text.isascii():
        text = _SIGNS.sub("", text)
    return text.encode().translate(_LOWER, _DROPPED)


def anchors(phrases: Iterable[str], calls: Iterable[str]) -> set[bytes]:
    """Pieces of a campaign's texts: a `squeezed` text without any of them has no phrase and no copy
    of a call in it, unless its letters are disguised (`DISGUISES`).  With one, it may have.

    Of a phrase the longest run of letters that no folding changes; of a call many pieces, so that a
    copy with typos, or cut, still has one.
    """
    found = {anchor for phrase in phrases for anchor in _anchors(phrase)}
    for call in calls:
        found |= _pieces(squeezed(unicodedata.normalize("NFC", call)).decode(errors="ignore"))
    # A piece of another piece finds both.
    return {one for one in found if not any(other in one for other in found - {one})}


def _pieces(text: str) -> set[bytes]:
    """A text cut into pieces of `_PIECE` bytes or a little more; what is left is no piece."""
    found = set()
    piece = b""
    for char in text:
        piece += char.encode()
        if len(piece) >= _PIECE:
            found.add(piece)
            piece = b""
    return found


def _anchors(text: str) -> set[bytes]:
    """The longest run of letters whose forms are known, in all these forms; if it is short, the
    phrase as spelled."""
    text = unicodedata.normalize("NFC", text).lower()
    runs: list[list[set[bytes]]] = [[]]
    for char in squeezed(text).decode(errors="ignore"):
        forms = _forms(char)
        if prod(map(len, runs[-1])) * len(forms) > _MOST_FORMS:
            runs.append([])
        if forms:
            runs[-1].append(forms)
        else:
            runs.append([])
    longest = max(reversed(runs), key=len)
    found = {b"".join(parts) for parts in product(*longest)}
    if len(longest) + (not all(piece.isascii() for piece in found)) >= _ENOUGH:
        return found
    spellings = {text, text.upper(), text.title(), text.capitalize()}
    spellings |= {unicodedata.normalize("NFD", spelling) for spelling in spellings}
    return {squeezed(spelling) for spelling in spellings} - {b""}


def _forms(char: str) -> set[bytes]:
    """A letter as it may stand in a `squeezed` text: capital, and without its marks; empty where
    folding knows more forms."""
    if not char.isalpha() or char.casefold() != char.lower():
        return set()
    base = squeezed(unicodedata.normalize("NFD", char)).decode(errors="ignore")
    forms = {char, char.upper(), base, base.upper()}
    if any(len(form) != 1 or unicodedata.combining(form) for form in forms):
        return set()
    return {squeezed(form) for form in forms}
