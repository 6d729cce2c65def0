"""Which of many campaigns may find a phrase or a copied call in a text: all of them at once.

One pass over a text's letters (Aho-Corasick) looks for pieces of all campaigns' phrases and calls;
95 % of a firehose end there.  Only letters in disguise (`𝐌𝐞 ＴＯＯ`) hide a piece: such a text is
folded once, and its words are looked for.  A campaign has the same answer beside two hundred others
as alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from typing import Final, TypeAlias

from ahocorasick_rs import BytesAhoCorasick

from streams.classify.matcher import Matcher
from streams.text.copies import APART, FEWEST
from streams.text.phrases import DISGUISES, Words, line, sentences, squeezed

_Pair: TypeAlias = tuple[str, str]
_NONE: Final[frozenset[int]] = frozenset()
_BETWEEN: Final = "\0"  # texts that are looked through together
_EVERYBODY: Final = -1  # in place of a campaign: a disguise


class Candidates:
    """Campaigns by their place in `matchers`."""

    def __init__(self, matchers: Sequence[Matcher]) -> None:
        pieces: dict[bytes, list[int]] = {piece: [_EVERYBODY] for piece in DISGUISES}
        folds: dict[frozenset[str], list[tuple[int, Matcher]]] = {}
        for at, matcher in enumerate(matchers):
            for piece in matcher.anchors:
                pieces.setdefault(piece, []).append(at)
            folds.setdefault(matcher.folds, []).append((at, matcher))
        self._of_piece = [frozenset(places) for places in pieces.values()]
        self._find = BytesAhoCorasick(list(pieces)).find_matches_as_indexes
        self._alike = [(chosen, _Alike(places)) for chosen, places in folds.items()]

    def find(self, text: str, longest: int) -> Collection[int]:
        """Places of the campaigns that may find something in the first `longest` characters."""
        hits = self._find(squeezed(text), overlapping=True)
        if not hits:
            return _NONE
        of_piece = self._of_piece
        if len(hits) == 1:
            found = of_piece[hits[0][0]]
        else:
            found = frozenset().union(*(of_piece[hit[0]] for hit in hits))
        if _EVERYBODY not in found:
            return found
        shown = text[:longest].replace("_", "")  # `#me_too` is a hashtag, not a phrase
        disguised = {
            at for folds, alike in self._alike for at in alike.find(sentences(shown, folds).words)
        }
        return found - {_EVERYBODY} | disguised

    def among(self, texts: Sequence[str]) -> set[int]:
        """Indices of the texts that `find` finds something in, for a third of the cost."""
        found: set[int] = set()
        plain = [index for index, text in enumerate(texts) if text.isascii()]
        others = [index for index, text in enumerate(texts) if not text.isascii()]
        for indices in (plain, others):
            joined = squeezed(_BETWEEN.join([texts[index] for index in indices]))
            if joined.count(b"\0") > max(0, len(indices) - 1):  # it stands in a text
                found |= {index for index in indices if self._find(squeezed(texts[index]))}
                continue
            at = last = 0
            for _, start, _ in self._find(joined):
                at += joined.count(b"\0", last, start)
                last = start
                found.add(indices[at])
        return found


class _Alike:
    """Campaigns that fold texts in the same way."""

    def __init__(self, matchers: Iterable[tuple[int, Matcher]]) -> None:
        phrases: dict[bytes, set[int]] = {}
        self._of_pair: dict[_Pair, set[int]] = {}
        for at, matcher in matchers:
            for phrase in matcher.phrases.lines:
                phrases.setdefault(phrase, set()).add(at)
            for pair in matcher.calls.every:
                self._of_pair.setdefault(pair, set()).add(at)
        self._of_phrase = list(phrases.values())
        self._find = BytesAhoCorasick(list(phrases)).find_matches_as_indexes

    def find(self, words: Words) -> set[int]:
        """Campaigns with a phrase in these words, or with pairs enough for a copy of a call."""
        found: set[int] = set()
        for index, _, _ in self._find(line(words), overlapping=True):
            found |= self._of_phrase[index]
        common: set[_Pair] = set()
        for apart in range(1, APART + 1):
            common.update(zip(words, words[apart:], strict=False))
        common &= self._of_pair.keys()
        if len(common) >= FEWEST:
            hits = Counter(at for pair in common for at in self._of_pair[pair])
            found.update(at for at, n in hits.items() if n >= FEWEST)
        return found
