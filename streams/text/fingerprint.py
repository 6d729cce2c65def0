"""A fingerprint that is equal for equal texts, whatever their case, spaces, links and marks."""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b
from typing import Final

from streams.text.normalise import folded, own_words

_REMEMBERED: Final = 2000  # characters of a text that is worth remembering: most are reposted


def text_key(text: str) -> str:
    """64 bits of BLAKE2b, as 16 hex digits, of the normalised text.

    Normalised: NFKC, casefold, no ignorable characters, no links, no accounts in front, single
    spaces.  Punctuation and emoji count.
    """
    return _short_key(text) if len(text) <= _REMEMBERED else _key(text)


def _key(text: str) -> str:
    normal = " ".join(folded(own_words(text)).split())
    return blake2b(normal.encode(), digest_size=8).hexdigest()


_short_key = lru_cache(maxsize=4096)(_key)
