"""Near copies of given texts: with typos, quotes, words before or behind, or cut short.

A text is a copy if it has enough of the given text's pairs of neighbouring words (2-shingles,
Broder 1997; containment rather than resemblance, so that what stands around a copy does not count).
A typo costs two pairs; in scripts without spaces a word is a letter.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from itertools import pairwise
from typing import Final, TypeAlias

from streams.text.phrases import Words, sentences

Pairs: TypeAlias = frozenset[tuple[str, str]]

_FEWEST: Final = 6  # pairs: fewer may be an idiom
_CUT: Final = 0.8  # of a text's own pairs, if they are all that was left of a copy


class Copies:
    """Texts to be recognised; `share` (0-1) of a text's pairs has to be there."""

    def __init__(
        self, texts: Iterable[str], folds: Collection[str] = (), share: float = 0.45
    ) -> None:
        self._share = share
        self._known = [pairs(sentences(text, folds).words) for text in texts]
        self._every: Pairs = frozenset().union(*self._known)

    def find(self, words: Words) -> Pairs | None:
        """The pairs of the given text that these words are a copy of; None if of none."""
        own = pairs(words)
        if len(own & self._every) < _FEWEST:
            return None
        best: tuple[float, Pairs] | None = None
        for known in self._known:
            common = len(own & known)
            if common < min(_FEWEST, len(known)):
                continue
            score = common / len(known)
            enough = score >= self._share or common >= _CUT * len(own)
            if enough and (best is None or score > best[0]):
                best = score, known
        return best[1] if best else None


def pairs(words: Words) -> Pairs:
    """Neighbouring words."""
    return frozenset(pairwise(words))
