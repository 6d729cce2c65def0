"""Replies to the calls of amplifiers, joined when they are read.

A reply and the call that it answers are in different partitions, and a partition owns everything
that its posts change.  So one counts the replies of a campaign by the post that they answer, the
other notes its call, and nothing is looked up from one in the other before both are read.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from streams.keys import US, GenerationKeys
from streams.retention import CAMPAIGN_KEEP_MS, HOUR_MS
from streams.store.commands import Command, hgetalls, hmgets
from streams.store.reads import Reader
from streams.store.tombstones import deleted
from streams.windows import HOUR

#: Calls that are asked for, of all campaigns: those of the most followers.
MOST_CALLS: Final = 1_000
_CALLS_AT_ONCE: Final = 200  # a transaction holds up a partition's worker: 2 ms
_HOURS: Final = 24
_CALL_HOURS: Final = CAMPAIGN_KEEP_MS // HOUR_MS


async def call_replies(reader: Reader, until: int) -> dict[str, dict[str, int]]:
    """Replies of the last 24 hours, the hour of `until` (s) included, by campaign and call's uid.

    Calls of the last 49 hours that were not taken back and have such replies.  Only they are asked
    for: however many posts were answered, it is `MOST_CALLS` fields of 24 hashes a partition.
    """
    newest = until // HOUR
    calls = await _calls(reader, newest)
    gone = await deleted(reader, {uid for _, uid in calls})
    calls = [call for call in calls if call[1] not in gone]
    found: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for first in range(0, len(calls), _CALLS_AT_ONCE):
        part = calls[first : first + _CALLS_AT_ONCE]
        for (name, uid), n in zip(part, await _replies(reader, newest, part), strict=True):
            if n:
                found[name][uid] = n
    return dict(found)


async def _replies(reader: Reader, newest: int, calls: Sequence[tuple[str, str]]) -> list[int]:
    """Replies to each of these calls in the hours up to `newest` (since 1970)."""
    fields = [f"{name}{US}{uid}" for name, uid in calls]

    def ask(_: str, keys: GenerationKeys) -> list[Command]:
        return [hmgets([keys.replies(newest - back) for back in range(_HOURS)], fields)]

    totals = [0] * len(calls)
    for answer in await reader.read(ask):
        for (hours,) in answer.replies:
            for values in hours:
                for at, value in enumerate(values):
                    if value is not None:
                        totals[at] += int(value)
    return totals


async def _calls(reader: Reader, newest: int) -> list[tuple[str, str]]:
    """Campaign and uid of the calls that are asked for, up to an hour (since 1970)."""

    def ask(_: str, keys: GenerationKeys) -> list[Command]:
        return [hgetalls([keys.calls(newest - back) for back in range(_CALL_HOURS + 1)])]

    followers: dict[str, int] = {}
    for answer in await reader.read(ask):
        for (hours,) in answer.replies:
            for stored in hours:
                pairs = zip(stored[::2], stored[1::2], strict=True)
                followers.update((field.decode(), int(n)) for field, n in pairs)
    loudest = sorted(followers, key=lambda field: (-followers[field], field))[:MOST_CALLS]
    return [(name, uid) for name, _, uid in (field.partition(US) for field in loudest)]
