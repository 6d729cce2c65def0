"""Near copies of given texts: with typos, quotes, words before or behind, words left out, or cut.

A text is a copy if it has enough of the given text's skip-bigrams: pairs of words in their order
with up to two others between them (Lin and Och 2004), counted as a share of the given text's
(containment, Broder 1997, rather than resemblance, so that what stands around a copy does not
count).  In scripts without spaces a word is a letter.

Found of 400 altered copies each, and of 111 texts made of the calls' own words taken for copies:

    method                            typos  words left out  and cut   wrongly     CPU
    skip-bigrams (here)              100 %          98.8 %    58.0 %         9   79 us
    bigrams of neighbours            100 %          96.0 %    49.2 %        15   43 us
    rapidfuzz.partial_ratio >= 0.76  100 %          98.5 %    60.8 %         9  387 us
    rapidfuzz.partial_ratio >= 0.64  100 %           100 %    94.3 %        22  427 us
    MinHash, 64 permutations         100 %           100 %    92.7 %        29  1.1 ms

`partial_ratio` takes 3 (14) of 169 everyday texts for copies, too; `token_set_ratio` and `ratio`
take any order of a call's words for a copy.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from itertools import pairwise
from typing import Final, NamedTuple, TypeAlias

from streams.text.phrases import Words, sentences

Pairs: TypeAlias = frozenset[tuple[str, str]]

APART: Final = 3  # places: a pair's second word is at most so many behind the first
FEWEST: Final = 15  # pairs: fewer may be an idiom
_CUT: Final = 0.7  # of a text's own pairs, if they are all that was left of a copy


class _Known(NamedTuple):
    skipping: Pairs
    neighbours: Pairs


class Copies:
    """Texts to be recognised; `share` (0-1) of a text's pairs has to be there."""

    def __init__(
        self, texts: Iterable[str], folds: Collection[str] = (), share: float = 0.4
    ) -> None:
        self._share = share
        every = [sentences(text, folds).words for text in texts]
        self._known = [_Known(_pairs(words), frozenset(pairwise(words))) for words in every]
        #: The pairs of all texts; words that have fewer than `FEWEST` of them are no copy.
        self.every: Pairs = frozenset().union(*(known.skipping for known in self._known))

    def find(self, words: Words) -> Pairs | None:
        """The neighbouring words of the given text that these words are a copy of; None if of
        none."""
        own = _pairs(words)
        if len(own & self.every) < FEWEST:
            return None
        best: tuple[float, Pairs] | None = None
        for known in self._known:
            common = len(own & known.skipping)
            if common < min(FEWEST, len(known.skipping)):
                continue
            score = common / len(known.skipping)
            enough = score >= self._share or common >= _CUT * len(own)
            if enough and (best is None or score > best[0]):
                best = score, known.neighbours
        return best[1] if best else None


def _pairs(words: Words) -> Pairs:
    found: set[tuple[str, str]] = set()
    for apart in range(1, APART + 1):
        found.update(zip(words, words[apart:], strict=False))
    return frozenset(found)
