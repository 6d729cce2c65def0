"""All cues of a text, found in one pass (Aho-Corasick), whatever language they are of."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import cache
from typing import Final, NamedTuple, TypeAlias

from ahocorasick_rs import BytesAhoCorasick

from streams.stance.lexicon import ANY, GRADED, GRADES, SIMPLE, Cues, Lexicon, lexicons
from streams.text.normalise import folded, own_words
from streams.text.phrases import WORD

#: Begin and end in bytes of `Read.line`; an emoji is at (0, 0).
Span: TypeAlias = tuple[int, int]
#: The cues of a language by the list they are of: "harm", "support.sure", ...
Found: TypeAlias = dict[str, list[Span]]

_Meaning: TypeAlias = tuple[str, str]  # language and name of a list

FAR: Final = 1 << 20  # words: in another sentence
# Letters that stand for what is no word: the campaign's tag, a share in per cent, a price.
_TAG: Final = "\u01c2"
_SIGNS: Final = str.maketrans(
    {"%": " \u01c1 ", **dict.fromkeys("$\u20ac\u00a3\u20b9\u00a5", " \u01c3 ")}
)
_SIGN: Final = re.compile("[%$\u20ac\u00a3\u20b9\u00a5]")
# Marks are no `\w`: accents, points of Hebrew and Arabic, vowels of Indic scripts and Thai.
_MARKS: Final = (
    "\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed"
    "\u0900-\u0963\u0966-\u0dff\u0e31-\u0e4e\u00b7\u200c\u200d\u05f3\u05f4\u30fb"
)
_HASHTAG: Final = re.compile(f"[#\uff03]([^\\W_][\\w{_MARKS}]*)")
_NUMBER: Final = re.compile(r"\b\d+(?:st|nd|rd|th)?\b")
_END: Final = re.compile(r"[.!?:;\n\r\u2028\u2029\u3002\u061b\u061f\u0964\u05c3\u2026]+")
_ASKED: Final = re.compile("[?\uff1f\u061f]")
_QUOTES: Final = re.compile('["“”„«»「」]')
_AROUND: Final = 60  # characters around hashtags: more are no punctuation and emoji


class Read(NamedTuple):
    """A text as the rules see it.  It is not kept."""

    line: bytes  # folded words between single spaces, sentences between line ends
    found: dict[str, Found]  # by language
    links: int
    tags: int  # hashtags of the campaign
    foreign: int  # other hashtags
    asks: bool
    quotes: bool  # has quotation marks
    alone: bool  # nothing but hashtags, at least one of them the campaign's

    def words(self, span: Span) -> str:
        return self.line[span[0] : span[1]].decode().replace(_TAG, "#").strip()


class _Patterns:
    """Patterns as they stand in a line, to be found in one pass; those of emoji beside them."""

    def __init__(self, meanings: Mapping[bytes, set[_Meaning]], emoji: Mapping[str, str]) -> None:
        keys = sorted(meanings)
        self.of_key = meanings
        self.emoji = emoji
        self.any_emoji = re.compile("|".join(map(re.escape, emoji)) or "(?!)")
        self._meanings = [sorted(meanings[key]) for key in keys]
        self._find = BytesAhoCorasick(keys).find_matches_as_indexes

    def add(self, line: bytes, found: dict[str, Found]) -> None:
        meanings = self._meanings
        for index, start, end in self._find(line, overlapping=True):
            for lang, name in meanings[index]:
                found.setdefault(lang, {}).setdefault(name, []).append((start, end))


@cache  # 0.1 s and 4 MB
def _shared(folds: frozenset[str]) -> _Patterns:
    """What the lexicons look for in every campaign."""
    meanings: dict[bytes, set[_Meaning]] = {}
    emoji: dict[str, str] = {}
    for lang, name, pattern in _patterns(lexicons()):
        if not _of_topic(pattern):
            key = _key(pattern, pattern.strip("*").split(), folds)
            if key:
                meanings.setdefault(key, set()).add((lang, name))
            else:
                emoji[pattern] = name
    return _Patterns(meanings, emoji)


class Scanner:
    """Patterns of all lexicons, compiled for a campaign's tags and phrases."""

    def __init__(
        self,
        *,
        is_tag: Callable[[str], bool],
        phrases: Mapping[str, Iterable[str]],
        context: Mapping[str, Iterable[str]],
        folds: Collection[str],
    ) -> None:
        self._is_tag = is_tag
        self._folds = folds
        self._phrases = phrases
        self._shared = _shared(frozenset(folds))
        own: dict[bytes, set[_Meaning]] = {}
        for lang, name, pattern in (
            *(found for found in _patterns(lexicons()) if _of_topic(found[2])),
            *_context(context),
        ):
            for key in self._keys(lang, pattern):
                if (lang, name) not in self._shared.of_key.get(key, ()):
                    own.setdefault(key, set()).add((lang, name))
        own.pop(b"", None)
        self._own = _Patterns(own, {})

    def read(self, text: str) -> Read:
        """All cues of a text, links and accounts in front aside."""
        words = own_words(text)
        tags = foreign = 0
        alone = False
        if "#" in words or "\uff03" in words:
            around = len(words)

            def tag(match: re.Match[str]) -> str:
                nonlocal tags, foreign, around
                around -= match.end() - match.start()
                if self._is_tag(match[1]):
                    tags += 1
                    return f" {_TAG} "
                foreign += 1
                return f" {match[1]} "

            bare = words
            words = _HASHTAG.sub(tag, words)
            if tags and around < _AROUND:
                alone = WORD.search(_HASHTAG.sub(" ", bare)) is None
        if _SIGN.search(words):
            words = words.translate(_SIGNS)
        words = folded(words, self._folds)
        asks = _ASKED.search(words) is not None
        line = self._line(words)
        found: dict[str, Found] = {}
        shared = self._shared
        shared.add(line, found)
        self._own.add(line, found)
        if not text.isascii():
            for sign in shared.any_emoji.findall(text):
                found.setdefault(ANY, {}).setdefault(shared.emoji[sign], []).append((0, 0))
        quotes = _QUOTES.search(text) is not None
        return Read(line, found, text.count("://"), tags, foreign, asks, quotes, alone)

    def _line(self, words: str) -> bytes:
        parts = map(WORD.findall, _END.split(_NUMBER.sub("0", words)))
        return "\n".join([f" {' '.join(part)} " for part in parts if part]).encode()

    def _keys(self, lang: str, pattern: str) -> Iterable[bytes]:
        """A pattern as it stands in a line, once for the tag and each phrase."""
        words = pattern.strip("*").split()
        for tag in (_TAG, *self._phrases.get(lang, ())) if "#" in words else ("",):
            yield _key(pattern, [tag if word == "#" else word for word in words], self._folds)


def _of_topic(pattern: str) -> bool:
    """Whether it has the campaign's tag or phrases in it."""
    return "#" in pattern.strip("*").split()


def _key(pattern: str, words: Iterable[str], folds: Collection[str]) -> bytes:
    """A pattern as it stands in a line; empty where it has no word in it, such as an emoji.

    `*` at an end stands for the rest of a word, `#` for the tag or one of the phrases.
    """
    before = "" if pattern.startswith("*") else " "
    behind = "" if pattern.endswith("*") else " "
    found = WORD.findall(_NUMBER.sub("0", folded(" ".join(words).translate(_SIGNS), folds)))
    return f"{before}{' '.join(found)}{behind}".encode() if found else b""


def between(line: bytes, one: Span, two: Span) -> int:
    """How many words stand between two cues, the first before the second; `FAR` beyond a
    sentence's end."""
    start, end = one[1] - 1, two[0] + 1
    if start >= end or line.find(b"\n", start, end) >= 0:
        return 0 if start >= end else FAR
    return line.count(b" ", start, end) - 1


def _patterns(given: Iterable[Lexicon]) -> Iterable[tuple[str, str, str]]:
    for lexicon in given:
        for name in SIMPLE:
            for pattern in getattr(lexicon, name):
                yield lexicon.lang, name, pattern
        for stance in GRADED:
            cues: Cues = getattr(lexicon, stance)
            for grade in GRADES:
                for pattern in getattr(cues, grade):
                    yield lexicon.lang, f"{stance}.{grade}", pattern


def _context(context: Mapping[str, Iterable[str]]) -> Iterable[tuple[str, str, str]]:
    for lang, beginnings in context.items():
        for beginning in beginnings:
            yield lang, "harm", beginning + "*"
