"""Hashtags by twitter-text's rules (https://github.com/twitter/twitter-text, 3.1: `validHashtag`).

A `#` or `＃`, not right behind a letter, digit, mark or `&`, then letters, marks, digits and some
special characters, at least one of them a letter or a mark; not before `#` or `://`; not inside
a link.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

_SIGN: Final = re.compile("[#\uff03]")
# Joiners, kavyka, maqaf, geresh, gershayim, wave dashes, kana marks, double hyphen, middle dots,
# ditto mark, tshegs: `hashtagSpecialChars`.
_SPECIAL: Final = frozenset(
    "_\u200c\u200d\ua67e\u05be\u05f3\u05f4\uff5e\u301c\u309b\u309c\u30a0\u30fb\u3003\u0f0b\u0f0c\u00b7"
)
_EMOJI_STYLE: Final = "\ufe0e\ufe0f"  # marks by category, but they end an emoji
_KEYCAP: Final = "\ufe0f\u20e3"  # `#` and one of these is an emoji
_PATH: Final = r"[a-z0-9!*';:=+,.$/%#\[\]\-\u2013_~@|&?()\u00c0-\u024f]"
_LINK: Final = re.compile(
    r"https?://t\.co/[a-z0-9]+"  # X's own links end with their letters
    r"|(?<![a-z0-9@#$.\uff20\uff03-])"
    r"(?:https?://[^\s/?#\uff03]+|(?:[a-z0-9-]{1,63}\.){1,8}[a-z]{2,24})"
    rf"[/?]{_PATH}*",
    re.IGNORECASE,
)

_CLOSED: Final = re.compile("[#\uff03]([^#\uff03\\s]{1,64})[#\uff03]")


def extract(text: str) -> list[str]:
    """The hashtags of a text in order, as spelled (in NFC), without the sign; repeats are kept.

    >>> extract("a #b, C#c and &#d; ＃é (#1 #e2) http://example.org/#f #g#h")
    ['b', 'é', 'e2']
    """
    if "#" not in text and "\uff03" not in text:
        return []
    text = unicodedata.normalize("NFC", text)  # a composed and a decomposed text have the same
    found: list[str] = []
    links = _LINK.finditer(text) if "/" in text or "?" in text else iter(())
    link = next(links, None)
    for sign in _SIGN.finditer(text):
        at = sign.start()
        while link is not None and link.end() <= at:
            link = next(links, None)
        if at and (text[at - 1] == "&" or _inside(text[at - 1])):
            continue
        if link is not None and link.start() <= at:
            continue
        tag = _tag_at(text, at + 1)
        if tag:
            found.append(tag)
    return found


def extract_closed(text: str) -> list[str]:
    """Hashtags between two signs, as they are written on Weibo: an option of a platform, no rule.

    >>> extract_closed("#米兔# #ok and #two words# ##")
    ['米兔']
    """
    if "#" not in text and "\uff03" not in text:
        return []
    text = unicodedata.normalize("NFC", text)
    return [tag for tag in _CLOSED.findall(text) if any(map(_letter, tag))]


@lru_cache(maxsize=65_536)
def canonical(tag: str) -> str:
    """The form that is counted: NFKC and casefold, no sign.  Idempotent.

    Both steps are repeated while they change something: casefold can undo a composition.

    >>> canonical("#ＭｅＴｏｏ"), canonical("YoTambie\u0301n")
    ('metoo', 'yotambién')
    """
    for _ in range(4):
        before, tag = tag, unicodedata.normalize("NFKC", tag).casefold().lstrip("#")
        if tag == before:
            break
    return tag


def _tag_at(text: str, start: int) -> str:
    if text[start : start + 1] in _KEYCAP:  # also at the end, where there is nothing
        return ""
    end, letters = start, False
    while end < len(text) and _word(text[end]):
        letters = letters or _letter(text[end])
        end += 1
    if not letters or text[end : end + 1] in ("#", "\uff03") or text.startswith("://", end):
        return ""
    return text[start:end]


def _inside(char: str) -> bool:
    """Does a hashtag's sign behind this character begin none?"""
    return char not in _EMOJI_STYLE and _word(char)


@lru_cache(maxsize=4096)
def _letter(char: str) -> bool:
    return unicodedata.category(char)[0] in "LM"


@lru_cache(maxsize=4096)
def _word(char: str) -> bool:
    return char in _SPECIAL or _letter(char) or unicodedata.category(char) == "Nd"
