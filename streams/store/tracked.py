"""The counters of campaigns and of chosen hashtags, read again and again at little cost.

An exporter reads every second, and buckets that are closed rarely change.  So a partition whose
offset has not moved is not asked for what is known, and of one that has moved only the newest
buckets and a rotating share of the older ones (a post out of order changes those) are read again.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from typing import Any, Final, NamedTuple

from streams.keys import GenerationKeys
from streams.store.commands import Command, add, hmgets
from streams.store.reads import Answer, Reader
from streams.store.states import PartitionState
from streams.store.subjects import Subject, campaign, hashtag
from streams.windows import Window

_DISORDER: Final = 120  # seconds behind a watermark in which posts out of order are expected
_AT_ONCE: Final = 100  # buckets in one command
_SPARE: Final = 50  # names beyond twice the wanted ones that are kept in the questions
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
        self._names = _Names((), (), ())
        self._turn = 0

    async def read(
        self,
        states: Iterable[PartitionState],
        campaigns: Collection[str],
        tags: Collection[str],
        moving: Collection[str],
        places: Collection[tuple[int, int]],
    ) -> Counts:
        """Totals of these campaigns and hashtags, and buckets of the campaigns and of the hashtags
        that are `moving`; `places` are step and start of buckets.

        `states` are what the caller has just read; partitions that stand as they did are not asked
        for what is known.
        """
        names = self._names.with_room_for(campaigns, tags, moving)
        if names != self._names:
            self._known.clear()
            self._names = names
        self._turn += 1
        now = {state.name: state for state in states}
        plans: dict[str, _Plan] = {}

        def ask(name: str, keys: GenerationKeys) -> list[Command]:
            plan = plans.setdefault(name, _Plan(self._known.get(name), now.get(name), self._turn))
            return plan.ask(keys, names, places)

        for answer in await self._reader.read(ask):
            name = answer.state.name
            self._known[name] = plans[name].learn(answer, names)
        counts = Counts([], Counter(), Counter(), {}, Counter(), defaultdict(Counter))
        for name in sorted(plans):
            self._sum(counts, name, self._known[name], set(tags), places)
        return counts._replace(buckets=dict(counts.buckets))

    def _sum(
        self,
        counts: Counts,
        name: str,
        known: _Known,
        wanted: Collection[str],
        places: Collection[tuple[int, int]],
    ) -> None:
        counts.states.append(known.state)
        for outcomes, campaigns, first, tags in known.totals:
            add(counts.outcomes, outcomes)
            add(counts.campaigns, campaigns)
            for field, value in first.items():
                key, ms = field.decode(), int(value)
                counts.first[key] = min(ms, counts.first.get(key, ms))
            for tag, n in zip(self._names.tags, tags, strict=True):
                if n is not None and tag in wanted:
                    counts.hashtags[tag] += int(n)
        for gen in range(known.state.gen + 1):
            keys = self._reader.keys(name).gen(gen)
            for step, start in places:
                for kind, key in _bucket_keys(keys, step, start):
                    found = known.buckets.get(key)
                    if found:
                        counts.buckets[kind, step, start].update(found)


class _Names(NamedTuple):
    """What is asked for; sorted."""

    campaigns: tuple[str, ...]
    tags: tuple[str, ...]
    moving: tuple[str, ...]

    def with_room_for(
        self, campaigns: Collection[str], tags: Collection[str], moving: Collection[str]
    ) -> _Names:
        """The same where it holds all of these: the top hashtags change all the time, and every
        change means that all is read anew.  What is no longer wanted stays for a while."""
        return _Names(
            tuple(sorted(campaigns)), _grown(self.tags, tags), _grown(self.moving, moving)
        )


def _grown(names: tuple[str, ...], wanted: Collection[str]) -> tuple[str, ...]:
    known = set(names)
    if known.issuperset(wanted) and len(names) <= 2 * len(wanted) + _SPARE:
        return names
    both = known.union(wanted)
    return tuple(sorted(both if len(both) <= 2 * len(wanted) + _SPARE else set(wanted)))


class _Plan:
    """What one partition is asked for, and what is known of it afterwards."""

    def __init__(self, known: _Known | None, now: PartitionState | None, turn: int) -> None:
        if known is not None and now is not None and not now.goes_on_from(known.state):
            known = None
        self._before = known
        self._same = known is not None and now is not None and now.stands_as(known.state)
        self._turn = turn
        self._wanted: dict[str, list[tuple[str, list[str]]]] = {}  # by generation: kind and keys
        self._kept: dict[str, dict[str, int]] = {}

    def ask(
        self,
        keys: GenerationKeys,
        names: _Names,
        places: Collection[tuple[int, int]],
    ) -> list[Command]:
        commands: list[Command] = []
        if not self._same:
            commands += [
                ("hgetall", keys.outcomes),
                ("hgetall", keys.campaigns),
                ("hgetall", keys.first),
            ]
            if names.tags:
                commands.append(("hmget", keys.tags, list(names.tags)))
        wanted: dict[str, list[str]] = {"h": [], "c": []}
        fields = {
            "h": list(names.moving),
            "c": [campaign(name).field for name in names.campaigns],
        }
        for step, start in places:
            stale = self._stale(step, start)
            for kind, key in _bucket_keys(keys, step, start):
                before = None if self._before is None else self._before.buckets.get(key)
                if before is not None and not stale:
                    self._kept[key] = before
                elif fields[kind]:
                    wanted[kind].append(key)
        self._wanted[keys.prefix] = []
        for kind, found in wanted.items():
            for first in range(0, len(found), _AT_ONCE):
                part = found[first : first + _AT_ONCE]
                self._wanted[keys.prefix].append((kind, part))
                commands.append(hmgets(part, fields[kind]))
        return commands

    def _stale(self, step: int, start: int) -> bool:
        if self._same or self._before is None:
            return False
        newest = (self._before.state.watermark or 0) / 1000
        return start + step > newest - _DISORDER or start // step % _SHARE == self._turn % _SHARE

    def learn(self, answer: Answer, names: _Names) -> _Known:
        of_kind = {"h": names.moving, "c": names.campaigns}
        buckets = self._kept
        totals: list[list[Any]] = []
        plans = list(self._wanted.values())  # more than replies where Redis went back in between
        for wanted, replies in zip(plans, answer.replies, strict=False):
            skip = 0 if self._same else 3 + bool(names.tags)
            if not self._same:
                totals.append([*replies[:3], replies[3] if names.tags else []])
            rows = (
                (kind, key, values)
                for (kind, keys), answers in zip(wanted, replies[skip:], strict=True)
                for key, values in zip(keys, answers, strict=True)
            )
            for kind, key, values in rows:
                buckets[key] = {
                    name: int(n)
                    for name, n in zip(of_kind[kind], values, strict=True)
                    if n is not None
                }
        # What was not asked for is as it was when the offset was the same.
        if self._same and self._before is not None:
            return _Known(
                self._before.state._replace(**_live(answer.state)), self._before.totals, buckets
            )
        return _Known(answer.state, totals, buckets)


def _live(state: PartitionState) -> dict[str, Any]:
    return {"end": state.end, "paused": state.paused, "reported": state.reported}


def _bucket_keys(keys: GenerationKeys, step: int, start: int) -> list[tuple[str, str]]:
    subjects = (hashtag(""), campaign(""))
    return [(subject.kind, subject.bucket(keys, step, start)) for subject in subjects]
