"""The counters of campaigns and of chosen hashtags, read again and again at little cost.

An exporter reads every second, and buckets that are closed rarely change.  So a partition whose
offset has not moved is not asked for what is known, and of one that has moved only the newest
buckets and a rotating share of the older ones (a post out of order changes those) are read again.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final, NamedTuple

from streams.keys import GenerationKeys
from streams.store.reads import Answer, Command, Reader, add
from streams.store.states import PartitionState
from streams.store.subjects import Subject, campaign, hashtag
from streams.windows import Window

_DISORDER: Final = 120  # seconds behind a watermark in which posts out of order are expected
_SHARE: Final = 30  # older buckets are all read again in so many reads

#: Kind of subject, step and start (s) of a bucket.
Place = tuple[str, int, int]


class Counts(NamedTuple):
    """All partitions added up.  Fields of hashes have their parts separated by US."""

    states: list[PartitionState]
    outcomes: Counter[str]
    campaigns: Counter[str]
    first: dict[str, int]  # ms
    hashtags: Counter[str]
    buckets: dict[Place, Counter[str]]  # by name of the subject

    def posts(self, subject: Subject, window: Window, until: int) -> int:
        """Posts of a tracked subject in the window that ends at `until` (s)."""
        buckets, name = self.buckets, subject.name
        return sum(
            buckets[place][name]
            for start in window.starts(until)
            if (place := (subject.kind, window.step, start)) in buckets
        )


class _Known(NamedTuple):
    """What was read of one partition; lists have an entry a generation."""

    state: PartitionState
    totals: list[list[Any]]
    buckets: dict[str, dict[str, int]]  # by key


class Tracker:
    """Remembers between reads.  Not for use by several tasks at once."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._known: dict[str, _Known] = {}
        self._names: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
        self._turn = 0

    async def read(
        self,
        states: Iterable[PartitionState],
        campaigns: Collection[str],
        tags: Collection[str],
        places: Collection[tuple[int, int]],
    ) -> Counts:
        """Counters of these campaigns and hashtags; `places` are step and start of buckets.

        `states` are what the caller has just read; partitions that stand as they did are not asked
        for what is known.
        """
        names = (tuple(sorted(campaigns)), tuple(sorted(tags)))
        if names != self._names:
            self._known.clear()
            self._names = names
        self._turn += 1
        now = {state.name: state for state in states}
        plans: dict[str, _Plan] = {}

        def ask(name: str, keys: GenerationKeys) -> list[Command]:
            plan = plans.setdefault(name, _Plan(self._known.get(name), now.get(name), self._turn))
            return plan.ask(keys, *names, places)

        for answer in await self._reader.read(ask):
            name = answer.state.name
            self._known[name] = plans[name].learn(answer, *names)
        counts = Counts([], Counter(), Counter(), {}, Counter(), defaultdict(Counter))
        for name in sorted(plans):
            self._sum(counts, name, self._known[name], places)
        return counts._replace(buckets=dict(counts.buckets))

    def _sum(
        self, counts: Counts, name: str, known: _Known, places: Collection[tuple[int, int]]
    ) -> None:
        counts.states.append(known.state)
        for outcomes, campaigns, first, tags in known.totals:
            add(counts.outcomes, outcomes)
            add(counts.campaigns, campaigns)
            for field, value in first.items():
                key, ms = field.decode(), int(value)
                counts.first[key] = min(ms, counts.first.get(key, ms))
            for tag, n in zip(self._names[1], tags, strict=True):
                if n is not None:
                    counts.hashtags[tag] += int(n)
        for gen in range(known.state.gen + 1):
            keys = self._reader.keys(name).gen(gen)
            for step, start in places:
                for kind, key in _bucket_keys(keys, step, start):
                    found = known.buckets.get(key)
                    if found:
                        counts.buckets[kind, step, start].update(found)


class _Plan:
    """What one partition is asked for, and what is known of it afterwards."""

    def __init__(self, known: _Known | None, now: PartitionState | None, turn: int) -> None:
        if known is not None and now is not None and not _went_on(known.state, now):
            known = None
        self._before = known
        self._same = known is not None and now is not None and _place(known.state) == _place(now)
        self._turn = turn
        self._wanted: dict[str, list[tuple[str, str]]] = {}  # by generation: kind and key
        self._kept: dict[str, dict[str, int]] = {}

    def ask(
        self,
        keys: GenerationKeys,
        campaigns: Sequence[str],
        tags: Sequence[str],
        places: Collection[tuple[int, int]],
    ) -> list[Command]:
        commands: list[Command] = []
        if not self._same:
            commands += [
                ("hgetall", keys.outcomes),
                ("hgetall", keys.campaigns),
                ("hgetall", keys.first),
            ]
            if tags:
                commands.append(("hmget", keys.tags, list(tags)))
        wanted = self._wanted[keys.prefix] = []
        fields = {
            "h": list(tags),
            "c": [campaign(name).field for name in campaigns],
        }
        for step, start in places:
            stale = self._stale(step, start)
            for kind, key in _bucket_keys(keys, step, start):
                before = None if self._before is None else self._before.buckets.get(key)
                if before is not None and not stale:
                    self._kept[key] = before
                elif fields[kind]:
                    wanted.append((kind, key))
                    commands.append(("hmget", key, fields[kind]))
        return commands

    def _stale(self, step: int, start: int) -> bool:
        if self._same or self._before is None:
            return False
        newest = (self._before.state.watermark or 0) / 1000
        return start + step > newest - _DISORDER or start // step % _SHARE == self._turn % _SHARE

    def learn(self, answer: Answer, campaigns: Sequence[str], tags: Sequence[str]) -> _Known:
        names = {"h": tags, "c": campaigns}
        buckets = self._kept
        totals: list[list[Any]] = []
        plans = list(self._wanted.values())  # more than replies where Redis went back in between
        for wanted, replies in zip(plans, answer.replies, strict=False):
            skip = 0 if self._same else 3 + bool(tags)
            if not self._same:
                totals.append([*replies[:3], replies[3] if tags else []])
            for (kind, key), values in zip(wanted, replies[skip:], strict=True):
                buckets[key] = {
                    name: int(n)
                    for name, n in zip(names[kind], values, strict=True)
                    if n is not None
                }
        # What was not asked for is as it was when the offset was the same.
        if self._same and self._before is not None:
            return _Known(
                self._before.state._replace(**_live(answer.state)), self._before.totals, buckets
            )
        return _Known(answer.state, totals, buckets)


def _place(state: PartitionState) -> tuple[int, int | None]:
    return state.gen, state.offset


def _went_on(before: PartitionState, now: PartitionState) -> bool:
    """Whether nothing that is known can have been taken back."""
    return before.gen == now.gen and (now.offset or 0) >= (before.offset or 0)


def _live(state: PartitionState) -> dict[str, Any]:
    return {"end": state.end, "paused": state.paused, "reported": state.reported}


def _bucket_keys(keys: GenerationKeys, step: int, start: int) -> list[tuple[str, str]]:
    subjects = (hashtag(""), campaign(""))
    return [(subject.kind, subject.bucket(keys, step, start)) for subject in subjects]
