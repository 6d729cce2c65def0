"""Words and sentences of a text, and a fast look at whether a phrase may be in it at all."""

from __future__ import annotations

import re
import string
import unicodedata
from collections.abc import Collection, Iterable, Sequence
from typing import Final, NamedTuple, TypeAlias

from ahocorasick_rs import BytesAhoCorasick

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

# `me. TOO!` -> `me too`: what the anchors below are looked for in.
_LOWER: Final = bytes.maketrans(
    string.ascii_uppercase.encode() + b"\n\r\t", string.ascii_lowercase.encode() + b"   "
)
_DROPPED: Final = b".,!?:;'\"()*"
# Bytes of characters that hide a word: styled letters, full-width ones, invisible ones within.
_DISGUISES: Final = {
    *("\U0001d400".encode()[:2], "\uff54".encode()[:2], b"\xc2\xad", b"\xe2\x80\x8b"),
}
_BETWEEN: Final = "\0"  # texts that are looked through together
_ENOUGH: Final = 4  # ASCII letters of a word that are seldom in other words; of other scripts 3


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


class Anchors:
    """Says that a text has none of some phrases in it; says "maybe" more often than need be.

    Each phrase is looked for by one piece that folding leaves alone, all at once (Aho-Corasick), in
    the text's bytes: 0.7 µs, where folding a text takes up to 5; 95 % of a firehose ends here.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        found = {anchor for text in texts for anchor in _anchors(text)}
        # A piece of another piece finds both.
        self.pieces = {one for one in found if not any(other in one for other in found - {one})}
        self._find = BytesAhoCorasick(sorted(self.pieces | _DISGUISES)).find_matches_as_indexes

    def may_be_in(self, text: str) -> bool:
        return bool(self._find(text.encode().translate(_LOWER, _DROPPED)))

    def may_be_among(self, texts: Sequence[str]) -> set[int]:
        """Indices of the texts that may have a phrase in them: a third of their cost alone."""
        joined = _BETWEEN.join(texts).encode().translate(_LOWER, _DROPPED)
        if joined.count(_BETWEEN.encode()) != len(texts) - 1:  # it stands in a text
            return {index for index, text in enumerate(texts) if self.may_be_in(text)}
        found: set[int] = set()
        index = last = 0
        for _, start, _ in self._find(joined):
            index += joined.count(_BETWEEN.encode(), last, start)
            last = start
            found.add(index)
        return found


def _anchors(text: str) -> set[bytes]:
    """The longest run of letters that no folding changes; if it is short, the phrase as spelled."""
    text = unicodedata.normalize("NFC", text).lower()
    runs = re.findall("[a-z]+|[^\\W\\d_]+", "".join(c if _steady(c) else " " for c in text))
    longest = max(reversed(runs), key=len, default="")
    if len(longest) + (not longest.isascii()) >= _ENOUGH:
        return {longest.encode()}
    spellings = {text, text.upper(), text.title(), text.capitalize()}
    spellings |= {unicodedata.normalize("NFD", spelling) for spelling in spellings}
    return {spelling.encode().translate(_LOWER, _DROPPED) for spelling in spellings}


def _steady(char: str) -> bool:
    """A letter whose only other form, if any, is an ASCII capital."""
    if not char.isalpha() or unicodedata.decomposition(char):
        return False
    return char.isascii() or (char.upper() == char.lower() and not unicodedata.combining(char))
