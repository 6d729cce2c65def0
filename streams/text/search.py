"""Finding texts by words, whatever their case, accents or width.  Pure."""

from __future__ import annotations

import re
from typing import Final

from streams.text.normalise import FOLDS, folded

_WORD: Final = re.compile(r"\w+")
# Thai, Lao, Khmer, Myanmar, kana, Han: written without spaces between words.
_UNSPACED: Final = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff"
    "\uf900-\ufaff\U00020000-\U0003ffff]"
)


class Search:
    """Words that a text has to have, each of them, in any order.

    A word is found where one of the text's begins with it: `stud` finds `students`.  In scripts
    without spaces it is found anywhere.
    """

    def __init__(self, words: str) -> None:
        self._words = list(dict.fromkeys(_WORD.findall(folded(words, FOLDS))))

    def __bool__(self) -> bool:
        return bool(self._words)

    def matches(self, text: str) -> bool:
        shown = folded(text, FOLDS)
        if not all(word in shown for word in self._words):
            return False
        found = _WORD.findall(shown)
        return all(
            _UNSPACED.search(word) or any(one.startswith(word) for one in found)
            for word in self._words
        )
