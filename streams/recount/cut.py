"""What of a batch is a campaign's, and what names a recount.  Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Final

from streams.errors import UsageError
from streams.increments import Result
from streams.keys import US, GenerationKeys

_KEYS: Final = GenerationKeys("")
_SEEN: Final = "seen:"
_BUCKET: Final = "cb:"


def nothing_but_uids(result: Result) -> Result:
    """The uids of a batch: what comes before the recount's first post is only remembered."""
    return Result({}, seen=result.seen, expire=_of_seen(result.expire))


def of_campaign(result: Result, campaign: str) -> Result:
    """What a batch adds to one campaign, and its uids."""
    own = f"{campaign}{US}"

    def fields(key: str, found: Mapping[str, int]) -> dict[str, int]:
        if key != _KEYS.campaigns and not key.startswith(_BUCKET):
            return {}
        return {field: n for field, n in found.items() if field.startswith(own)}

    incr = {key: kept for key, found in result.incr.items() if (kept := fields(key, found))}
    subject = f":c{US}{campaign}"
    authors = {key: found for key, found in result.authors.items() if key.endswith(subject)}
    notes = {
        key: told
        for key, found in result.notes.items()
        if (told := {field: text for field, text in found.items() if field.startswith(own)})
    }
    chunks = [] if result.kept is None else result.kept.chunks
    chunks = [chunk for chunk in chunks if chunk.list.startswith(own)]
    touched = incr.keys() | authors.keys() | notes.keys()
    expire = {key: ms for key, ms in result.expire.items() if key in touched}
    return Result(
        {},
        seen=result.seen,
        expire=_of_seen(result.expire) | expire,
        incr=incr,
        authors=authors,
        first={field: ms for field, ms in result.first.items() if field.startswith(own)},
        notes=notes,
        kept=result.kept._replace(chunks=chunks) if result.kept is not None and chunks else None,
    )


def _of_seen(expire: Mapping[str, int]) -> dict[str, int]:
    return {key: ms for key, ms in expire.items() if key.startswith(_SEEN)}


def version_id(program: str, revision: str, since: int, gen: int) -> str:
    """Equal for equal commands on the same log, so that they go on with one another's work.

    `since` is in ms, `gen` the partition's generation.
    """
    text = f"{program}{US}{revision}{US}{since}{US}{gen}"
    return blake2b(text.encode(), digest_size=6).hexdigest()


def parse_since(text: str, now: float) -> int:
    """ms since 1970 of an ISO 8601 time (UTC where it names no zone); `now` is in s.

    Raises `UsageError` for anything else, and for a time that has not come.
    """
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(
            f"--since {text!r} is no time: write it as 2017-10-15T20:21:00Z, or as a date"
        ) from None
    ms = int(found.replace(tzinfo=found.tzinfo or UTC).timestamp() * 1000)
    if ms > now * 1000:
        raise UsageError(f"--since {text} is in the future: nothing was counted since")
    if ms < 0:
        raise UsageError(f"--since {text} is before 1970")
    return ms
