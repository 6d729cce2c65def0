"""What both formats of X have in common: dates, positions of hashtags, truncation."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from streams.ingest.simulate.draft import Draft

TWEET: Final = 140  # characters, in 2017
_DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS: Final = (
    *("Jan", "Feb", "Mar", "Apr", "May", "Jun"),
    *("Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
)


@lru_cache(maxsize=4096)
def classic_date(second: int) -> str:
    """Seconds since the epoch as in v1.1, whatever the locale: `Sun Oct 15 20:21:11 +0000 2017`."""
    at = datetime.fromtimestamp(second, UTC)
    day = f"{_DAYS[at.weekday()]} {_MONTHS[at.month - 1]} {at.day:02}"
    return f"{day} {at.hour:02}:{at.minute:02}:{at.second:02} +0000 {at.year:04}"


@lru_cache(maxsize=4096)
def _iso_second(second: int) -> str:
    at = datetime.fromtimestamp(second, UTC)
    return f"{at.year:04}-{at.month:02}-{at.day:02}T{at.hour:02}:{at.minute:02}:{at.second:02}"


def iso_date(ms: int) -> str:
    """As in v2: `2017-10-15T20:21:11.289Z`."""
    return f"{_iso_second(ms // 1000)}.{ms % 1000:03}Z"


def escape(text: str) -> str:
    """X sends these three as HTML entities."""
    if "&" in text or "<" in text or ">" in text:
        return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text


def tag_spans(text: str, tags: tuple[str, ...]) -> list[tuple[str, int, int]]:
    """(tag, start, end) of each hashtag, in code points, as X counts."""
    spans = []
    at = 0
    for tag in tags:
        start = text.find("#" + tag, at)
        if start < 0:  # behind a truncation
            break
        at = start + 1 + len(tag)
        spans.append((tag, start, at))
    return spans


def shortened(text: str, size: int) -> str:
    """The beginning of a text, cut between words where it has some, and an ellipsis."""
    head = text[: size - 1]
    cut = head.rfind(" ")
    return (head[:cut] if cut > size // 2 else head) + "…"


def full_text(draft: Draft) -> str:
    """A post's own text as sent: with the @-mention in front that an answer has."""
    text = draft.words.text
    to = draft.answers[1] if draft.answers else draft.mentions
    if to is not None:
        text = f"@{to.name} {text}"
    if draft.kind == "quote":
        text = f"{text} https://t.co/{draft.salt:010x}"
    return escape(text)
