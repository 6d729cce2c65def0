"""Reading Redis: each partition in one transaction, all partitions at once, nothing written.

A partition's keys are in one slot and a batch is one script, so a transaction (MULTI) sees whole
batches.  Partitions are added up here, because they may be on different nodes.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

import orjson
from redis.asyncio import RedisCluster

from streams.keys import US, GenerationKeys, Layout, PartitionKeys
from streams.retention import TAG_KEEP_MS
from streams.store.commands import Command, add, mget
from streams.store.layout import require
from streams.store.states import STATE_FIELDS, PartitionState, parse_state
from streams.store.subjects import Subject

_AT_ONCE: Final = 16  # partitions that are read at the same time
_PAGE: Final = 5_000  # fields: 5 ms
_TRIES: Final = 5  # until a transaction finds the generations it asked for

Ask = Callable[[str, GenerationKeys], Sequence[Command]]


class Answer(NamedTuple):
    """One partition: its state, and for each generation the replies to what was asked."""

    state: PartitionState
    replies: list[list[Any]]


class Totals(NamedTuple):
    """Everything that has a total; keys as in the hashes: parts separated by US."""

    states: list[PartitionState]
    outcomes: Counter[str]
    hashtags: Counter[str]
    campaigns: Counter[str]


class Reader:
    """Reads one installation.  Errors of redis-py are the caller's."""

    def __init__(self, redis: Any, layout: Layout) -> None:
        self._redis = redis
        self._layout = layout
        self._gens: dict[str, int] = {}  # as last seen
        self._gate = asyncio.Semaphore(_AT_ONCE)

    async def ping(self) -> None:
        await self._redis.ping()

    async def memory(self) -> dict[str, tuple[int, int]]:
        """Bytes used and the limit (0: none) by node; a Cluster's masters each."""
        if isinstance(self._redis, RedisCluster):
            nodes = await self._redis.info("memory", target_nodes=RedisCluster.PRIMARIES)
        else:
            nodes = {"redis": await self._redis.info("memory")}
        return {
            name: (int(info["used_memory"]), int(info.get("maxmemory", 0)))
            for name, info in nodes.items()
        }

    def keys(self, name: str) -> PartitionKeys:
        """Keys of `topic:partition`."""
        topic, _, number = name.rpartition(":")
        return self._layout.partition(topic, int(number))

    async def partitions(self) -> dict[str, PartitionKeys]:
        """Keys of every partition that was ever counted, by `topic:partition`.

        Raises `LayoutError` where Redis holds another layout.
        """
        await require(self._redis, self._layout)
        found: dict[str, PartitionKeys] = {}
        for member in sorted(await self._redis.smembers(self._layout.partitions)):
            name = member.decode()
            topic, _, number = name.rpartition(":")
            if topic and number.isdecimal():
                found[name] = self.keys(name)
        return found

    async def campaign_info(self) -> dict[str, dict[str, Any]]:
        """What workers wrote of the campaign files: version, hashtags, thresholds, milestones."""
        stored = await self._redis.hgetall(self._layout.campaigns)
        info: dict[str, dict[str, Any]] = {}
        for name, document in stored.items():
            try:
                parsed = orjson.loads(document)
            except orjson.JSONDecodeError:
                continue
            if isinstance(parsed, dict):
                info[name.decode()] = parsed
        return info

    async def states(self) -> list[PartitionState]:
        """Every partition's state, sorted by name."""
        return [answer.state for answer in await self.read(lambda _name, _keys: [])]

    async def read(self, ask: Ask) -> list[Answer]:
        """Ask every partition for the same, each in one transaction; sorted by name.

        `ask` gets the partition's name and the keys of one generation, and is called for each.
        """
        partitions = await self.partitions()
        return list(
            await asyncio.gather(
                *(self._read(name, keys, ask) for name, keys in partitions.items())
            )
        )

    async def _read(self, name: str, keys: PartitionKeys, ask: Ask) -> Answer:
        async with self._gate:
            for _ in range(_TRIES):
                gens = self._gens.get(name, 0) + 1
                questions = [list(ask(name, keys.gen(gen))) for gen in range(gens)]
                pipeline = self._redis.pipeline(transaction=True)
                pipeline.hmget(keys.state, list(STATE_FIELDS))
                pipeline.hgetall(keys.live)
                for method, *arguments in (command for asked in questions for command in asked):
                    getattr(pipeline, method)(*arguments)
                fields, live, *replies = await pipeline.execute()
                state = parse_state(name, fields, live)
                self._gens[name] = state.gen
                if state.gen + 1 == gens:
                    found = iter(replies)
                    return Answer(state, [[next(found) for _ in asked] for asked in questions])
        raise RuntimeError(f"partition {name} changes its generation all the time")

    async def totals(self) -> Totals:
        """All totals; without other hashtags whose last post is 25 h behind their partition."""

        def ask(_: str, keys: GenerationKeys) -> list[Command]:
            return [
                ("hgetall", keys.outcomes),
                ("hgetall", keys.tags),
                ("zrange", keys.tagged, 0, -1, False, True),
                ("hgetall", keys.campaigns),
            ]

        totals = Totals([], Counter(), Counter(), Counter())
        for answer in await self.read(ask):
            totals.states.append(answer.state)
            for outcomes, tags, tagged, campaigns in answer.replies:
                add(totals.outcomes, outcomes)
                add(totals.campaigns, campaigns)
                expired = _expired(tagged, answer.state.watermark)
                add(totals.hashtags, {t: n for t, n in tags.items() if t not in expired})
        return totals

    async def outcomes(self) -> Counter[str]:
        """Posts by platform US outcome: what `totals` has of them, for less."""
        found: Counter[str] = Counter()
        for answer in await self.read(lambda _name, keys: [("hgetall", keys.outcomes)]):
            for (outcomes,) in answer.replies:
                add(found, outcomes)
        return found

    async def hashtag_totals(self, tags: Sequence[str]) -> dict[str, int]:
        """Totals of these hashtags; those without one are left out."""
        if not tags:
            return {}

        def ask(_: str, keys: GenerationKeys) -> list[Command]:
            scores = [("zscore", keys.tagged, tag) for tag in tags]
            return [("hmget", keys.tags, list(tags)), *scores]

        found: Counter[str] = Counter()
        for answer in await self.read(ask):
            for values, *scores in answer.replies:
                for tag, value, score in zip(tags, values, scores, strict=True):
                    if value is not None and not _is_expired(score, answer.state.watermark):
                        found[tag] += int(value)
        return dict(found)

    async def hashtag_fields(self, tag: str) -> Counter[str]:
        """Totals of a hashtag by platform US lang."""

        def ask(_: str, keys: GenerationKeys) -> list[Command]:
            return [("hgetall", keys.tag(tag)), ("zscore", keys.tagged, tag)]

        found: Counter[str] = Counter()
        for answer in await self.read(ask):
            for fields, score in answer.replies:
                if not _is_expired(score, answer.state.watermark):
                    add(found, fields)
        return found

    async def campaign_fields(self, name: str) -> Counter[str]:
        """Totals of a campaign by dimension US value."""
        prefix = f"{name}{US}".encode()
        found: Counter[str] = Counter()
        for answer in await self.read(lambda _name, keys: [("hgetall", keys.campaigns)]):
            for (fields,) in answer.replies:
                for field, value in fields.items():
                    if field.startswith(prefix):
                        found[field[len(prefix) :].decode()] += int(value)
        return found

    async def buckets(self, subject: Subject, step: int, starts: Sequence[int]) -> Counter[int]:
        """Posts by start of the bucket (s), for buckets of `step` seconds."""

        def ask(_: str, keys: GenerationKeys) -> list[Command]:
            return [("hget", subject.bucket(keys, step, start), subject.field) for start in starts]

        found: Counter[int] = Counter()
        for answer in await self.read(ask):
            for values in answer.replies:
                for start, value in zip(starts, values, strict=True):
                    if value is not None:
                        found[start] += int(value)
        return found

    async def fields(self, subject: Subject, step: int, starts: Sequence[int]) -> Counter[str]:
        """All fields of a subject in the sum of these buckets, less its name: `step` 60 or 3600."""

        def ask(_: str, keys: GenerationKeys) -> list[Command]:
            return [("hgetall", subject.bucket(keys, step, start)) for start in starts]

        prefix = f"{subject.name}{US}".encode()
        found: Counter[str] = Counter()
        for answer in await self.read(ask):
            for hashes in answer.replies:
                for fields in hashes:
                    for field, value in fields.items():
                        if field.startswith(prefix):
                            found[field[len(prefix) :].decode()] += int(value)
        return found

    async def ranking(self, step: int, starts: Sequence[int]) -> Counter[str]:
        """Posts by hashtag in the sum of these buckets: all hashtags of them.

        In pages, so that neither Redis nor this process stands still for 100,000 hashtags: an
        order, not counts of one moment.
        """
        found: Counter[bytes] = Counter()
        for name, keys in (await self.partitions()).items():
            for gen in range(self._gens.get(name, 0) + 1):
                for start in starts:
                    found.update(await self._tags(keys.gen(gen).bucket(step, start)))
        return Counter({tag.decode(): n for tag, n in found.items()})

    async def _tags(self, bucket: str) -> dict[bytes, int]:
        """Posts by hashtag in one bucket; a page may bring what another has brought."""
        tags: dict[bytes, int] = {}
        separator = US.encode()
        cursor = None
        while cursor != 0:
            cursor, fields = await self._redis.hscan(bucket, cursor or 0, count=_PAGE)
            tags.update({tag: int(n) for tag, n in fields.items() if separator not in tag})
        return tags

    async def authors(self, subject: Subject, step: int, starts: Sequence[int]) -> list[bytes]:
        """HyperLogLogs of the subject's authors in these periods, to be united by the caller."""

        def ask(_: str, keys: GenerationKeys) -> list[Command]:
            return [mget(keys.authors(step, start, subject.key) for start in starts)]

        return [
            value
            for answer in await self.read(ask)
            for (values,) in answer.replies
            for value in values
            if value is not None
        ]


def _expired(tagged: Sequence[tuple[bytes, float]], watermark: int | None) -> set[bytes]:
    return {tag for tag, score in tagged if _is_expired(score, watermark)}


def _is_expired(score: float | None, watermark: int | None) -> bool:
    return score is not None and watermark is not None and score < watermark - TAG_KEEP_MS
