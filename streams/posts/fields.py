"""Fields that platforms write differently and a post has in one way only."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

from streams.posts.post import OLDEST_MS, Unreadable
from streams.text.hashtags import canonical, extract

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MS: Final = timedelta(milliseconds=1)
_MONTHS: Final = (
    *("Jan", "Feb", "Mar", "Apr", "May", "Jun"),
    *("Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
)
_RENAMED: Final = {"iw": "he", "in": "id", "ji": "yi", "art": "und", "zxx": "und"}
_LONGEST_TAG: Final = 500  # characters; longer ones are no platform's hashtag
_MEMO: Final = 200_000  # entries: more than the seconds of two days

_LONGEST_CODE: Final = 35  # characters of a language tag (RFC 5646, 4.4.1)

_tags: dict[str, str] = {}
_languages: dict[str | None, str] = {None: "und"}
# Times as X's v2 writes them, `2017-10-15T20:21:11.000Z`: known ones need no call.
round_seconds: dict[str, int] = {}
_seconds: dict[str, int] = {}
_fractions: dict[str, int] = {}


def iso_ms(text: str) -> int:
    """ms UTC of an ISO 8601 time with an offset; finer digits are cut off.

    Times of one stream share their seconds: both halves of `2017-10-15T20:21:11` + `.289Z` are
    remembered (0.2 µs; parsing takes 2).  Raises `Unreadable` for what is no time, and before
    `OLDEST_MS`.
    """
    try:
        return _seconds[text[:19]] + _fractions[text[19:]]
    except KeyError:
        return _parse_iso(text)


def _parse_iso(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            raise ValueError("no offset from UTC")
        ms = (moment - _EPOCH) // _MS
    except (ValueError, OverflowError) as error:
        raise Unreadable("created_at", f"{text[:40]!r} is no time: {error}") from None
    checked(ms)
    head, tail = text[:19], text[19:]
    if len(head) == 19 and tail[-1:] == "Z" and (tail == "Z" or tail[0] == "."):
        if len(_seconds) > _MEMO or len(_fractions) > _MEMO:
            round_seconds.clear()
            _seconds.clear()
            _fractions.clear()
        _seconds[head] = ms // 1000 * 1000
        _fractions[tail] = ms % 1000
        if tail == ".000Z":
            round_seconds[text] = ms
    return ms


@lru_cache(maxsize=100_000)
def classic_ms(text: str) -> int:
    """ms UTC of a time as X's v1.1 wrote it: `Sun Oct 15 20:21:11 +0000 2017`, in any locale.

    Raises `Unreadable` for what is none, and before `OLDEST_MS`.
    """
    try:
        if len(text) > 40:
            raise ValueError("too long")
        _, month, day, clock, offset, year = text.split(" ")
        hour, minute, second = clock.split(":")
        moment = datetime(
            *(int(year), _MONTHS.index(month) + 1, int(day)),
            *(int(hour), int(minute), min(int(second), 59)),
            tzinfo=datetime.strptime(offset, "%z").tzinfo,
        )
        return checked((moment - _EPOCH) // _MS)
    except (ValueError, OverflowError):
        raise Unreadable("created_at", f"{text[:40]!r} is no time of X's v1.1") from None


def checked(ms: int) -> int:
    """A plausible time: not before the first post on X, not after year 9999."""
    if ms < OLDEST_MS:
        raise Unreadable("created_at", f"{ms} ms is before 2006-03-21")
    if ms >= 253_402_300_800_000:
        raise Unreadable("created_at", f"{ms} ms is after year 9999")
    return ms


def language(code: str | None) -> str:
    """BCP 47 primary tag of a platform's language code, `und` where it is none.

    >>> [language(code) for code in ("en-GB", "iw", "in", "qht", "zxx", None)]
    ['en', 'he', 'id', 'und', 'und', 'und']
    """
    known = _languages.get(code)
    return _language(code or "") if known is None else known


def _language(code: str) -> str:
    primary = code[:_LONGEST_CODE].replace("_", "-").partition("-")[0].lower()
    primary = _RENAMED.get(primary, primary)
    fits = len(primary) in (2, 3) and primary.isascii() and primary.isalpha()
    # X: hashtags only (qht), media only (qme), ...; ISO 639-3 has qaa to qtz for private use
    lang = primary if fits and not (primary[0] == "q" and len(primary) == 3) else "und"
    if len(code) <= _LONGEST_CODE and len(_languages) < 4096:
        _languages[code] = lang
    return lang


def country(code: str | None) -> str | None:
    """ISO 3166-1 alpha-2 in capitals, or None."""
    if code and len(code) == 2 and code.isascii() and code.isalpha():
        return code.upper()
    return None


def tags(found: Iterable[str]) -> tuple[str, ...]:
    """A platform's own hashtags, canonical, in order, no repeats, without what can be none."""
    names: dict[str, None] = {}
    for written in found:
        name = _tags.get(written)
        if name is None:
            name = _tag(written)
        if name:
            names[name] = None
    return tuple(names)


def _tag(written: str) -> str:
    """Canonical, or "" where it is too long, or has spaces or control characters in it."""
    if len(written) > _LONGEST_TAG:
        return ""
    name = canonical(written)
    if any(char.isspace() or char < " " or "\x7f" <= char <= "\x9f" for char in name):
        name = ""
    if len(_tags) >= _MEMO:
        _tags.clear()
    _tags[written] = name
    return name


def tags_in(text: str) -> tuple[str, ...]:
    """Hashtags of a text whose platform sent none."""
    if "#" in text or "\uff03" in text:
        return tags(extract(text))
    return ()


def unescaped(text: str) -> str:
    """X writes three characters of a text as HTML entities, and no others."""
    if "&" not in text:
        return text
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
