"""Is every number what it has to be?  Compared with the simulation, the log, and a quiet run.

Three witnesses: what the simulation meant to write (totals); a fold over the log that knows neither
Redis nor batches (outcomes); and one worker that reads the same log undisturbed into a Redis of its
own (every key: buckets, seen uids, first times, unique authors, offsets; and every record written).
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

import msgspec
from aiokafka import AIOKafkaConsumer
from aiokafka.structs import ConsumerRecord, TopicPartition

from streams.config import KafkaSettings
from streams.kept import Keeping, posts_of
from streams.keys import US
from streams.posts import Post, Unreadable, decode
from streams.reading import FUTURE_MS, source_of

Record = ConsumerRecord[bytes, bytes]
#: Of a partition's keys, those that say how it went and not what was counted.
_ADVISORY: Final = ("live", "incidents")


class Verdict(NamedTuple):
    """`lost`, `twice`: posts; `wrong`: one line for each thing that is not as it has to be."""

    lost: int
    twice: int
    wrong: list[str]


def records(kafka: KafkaSettings, bootstrap: str, topic: str) -> list[Record]:
    """All that a topic holds, by partition and offset."""
    return asyncio.run(_records(bootstrap, topic))


async def _records(bootstrap: str, topic: str) -> list[Record]:
    consumer: AIOKafkaConsumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap, enable_auto_commit=False, isolation_level="read_committed"
    )
    await consumer.start()
    try:
        found: list[Record] = []
        ends = await _ends(consumer, topic)
        consumer.assign(list(ends))
        await consumer.seek_to_beginning()
        for partition, end in ends.items():
            while await consumer.position(partition) < end:
                for some in (await consumer.getmany(timeout_ms=500)).values():
                    found += some
        return sorted(found, key=lambda record: (record.partition, record.offset))
    finally:
        await consumer.stop()


async def _ends(consumer: AIOKafkaConsumer, topic: str) -> dict[TopicPartition, int]:
    metadata = await consumer._client.fetch_all_metadata()
    tps = [TopicPartition(topic, p) for p in metadata.partitions_for_topic(topic) or ()]
    return await consumer.end_offsets(tps)


def ends(bootstrap: str, topic: str) -> dict[int, int]:
    """Next offset of each partition."""

    async def ask() -> dict[int, int]:
        consumer: AIOKafkaConsumer = AIOKafkaConsumer(bootstrap_servers=bootstrap)
        await consumer.start()
        try:
            return {tp.partition: end for tp, end in (await _ends(consumer, topic)).items()}
        finally:
            await consumer.stop()

    return asyncio.run(ask())


def committed(bootstrap: str, group: str, topic: str, partitions: int) -> dict[int, int]:
    """The group's committed offsets (0: none)."""

    async def ask() -> dict[int, int]:
        consumer: AIOKafkaConsumer = AIOKafkaConsumer(
            bootstrap_servers=bootstrap, group_id=group, enable_auto_commit=False
        )
        await consumer.start()
        try:
            tps = [TopicPartition(topic, p) for p in range(partitions)]
            return {tp.partition: await consumer.committed(tp) or 0 for tp in tps}
        finally:
            await consumer.stop()

    return asyncio.run(ask())


def fold(log: Iterable[Record], horizon_ms: int) -> Counter[str]:
    """Outcomes by the log alone: one record after the other, all uids in one plain set."""
    found: Counter[str] = Counter()
    newest: dict[int, int] = {}
    forwarded: dict[tuple[int, str], int] = {}
    seen: set[str] = set()
    for record in log:
        source = source_of(record)
        if source is not None:
            if source[1] <= forwarded.get((record.partition, source[0]), -1):
                continue
            forwarded[record.partition, source[0]] = source[1]
        try:
            post = decode(record.value)
        except Unreadable:
            found["dead"] += 1
            continue
        if not isinstance(post, Post):
            found["ignored"] += 1
        elif post.created_at > record.timestamp + FUTURE_MS:
            found["dead"] += 1
        elif post.created_at < newest.get(record.partition, -1) - horizon_ms:
            found["late"] += 1
        else:
            newest[record.partition] = max(newest.get(record.partition, -1), post.created_at)
            found["duplicate" if post.uid in seen else "counted"] += 1
            seen.add(post.uid)
    return found


def snapshot(redis: Any, prefix: str) -> dict[str, Any]:
    """Every key of every partition, as something that compares."""
    found: dict[str, Any] = {}
    for raw in redis.scan_iter(match=f"{prefix}*{{*", count=5000):
        name = raw.decode()
        tail = name.rpartition(":")[2]
        if "{events}" in name or tail in _ADVISORY:
            continue
        kind = redis.type(raw).decode()
        if kind == "hash":
            found[name] = dict(redis.hgetall(raw))
        elif kind == "set":
            found[name] = dict.fromkeys(redis.smembers(raw), 1)
        elif kind == "zset" and ":kept:" in name:
            found[name] = _kept(redis, name)
        elif kind == "zset":
            found[name] = {
                member: int(score) for member, score in redis.zrange(raw, 0, -1, withscores=True)
            }
        elif kind == "string":
            found[name] = {b"authors": redis.pfcount(raw)}
    return found


def _kept(redis: Any, name: str) -> dict[bytes, int]:
    """The posts that a list serves.  How they are cut into chunks, and what is not worth serving
    any more but still there, is as batches happen to come."""
    state = f"{name.rpartition(':kept:')[0].rpartition(':g')[0]}:state"
    oldest = int(redis.hget(state, "watermark")) - Keeping().age_ms
    rows = [
        post.row
        for chunk in redis.zrangebyscore(name, 0, "inf")
        for post in posts_of(chunk, "")
        if post.uid and post.created_at > oldest
    ]
    rows.sort(key=lambda row: (row.created_at, row.uid))
    return dict(Counter(msgspec.json.encode(row) for row in rows[-Keeping().newest :]))


def expired(keys: Mapping[str, Any]) -> set[str]:
    """Keys that the watermark has passed: they go a share at a time, as batches happen to come."""
    gone: set[str] = set()
    for name, index in keys.items():
        if not name.endswith(":index"):
            continue
        generation = name.removesuffix("index")
        state = keys.get(f"{generation.rpartition(':g')[0]}:state", {})
        watermark = int(state.get(b"watermark", 0))
        gone.update(generation + suffix.decode() for suffix, ms in index.items() if ms < watermark)
    return gone


def compare_keys(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> Verdict:
    """`lost` and `twice` are the most that any one key is short of, or over."""
    gone = expired(ours) | expired(theirs)
    lost = twice = 0
    wrong: list[str] = []
    for name in sorted({*ours, *theirs}):
        if name in gone or name.endswith(":index"):
            continue
        one, other = ours.get(name, {}), theirs.get(name, {})
        if one == other:
            continue
        short, over, text = 0, 0, []
        for field in {*one, *other}:
            a, b = one.get(field, 0), other.get(field, 0)
            if a != b:
                text.append(
                    f"{field.decode(errors='replace').replace(US, '/')}: {_n(a)} for {_n(b)}"
                )
                if isinstance(a, bytes | int) and _is_count(name):
                    difference = int(b) - int(a)
                    short, over = short + max(0, difference), over + max(0, -difference)
        lost, twice = max(lost, short), max(twice, over)
        if text:
            wrong.append(f"{name}: {len(text)} differ, as {sorted(text)[0]}")
    return Verdict(lost, twice, wrong)


def _is_count(name: str) -> bool:
    generation = name.rpartition(":g")[2].partition(":")[2]
    return generation.startswith(("outcomes", "tags", "campaigns", "seen:", "b:", "cb:"))


def _n(value: Any) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def written(log: Iterable[Record]) -> dict[tuple[str, str], tuple[Any, ...]]:
    """What was written to a topic, less repeats, by partition and offset of its source."""
    found: dict[tuple[str, str], tuple[Any, ...]] = {}
    for record in log:
        headers = {name: value.decode() for name, value in record.headers}
        source = (headers["source-partition"], headers["source-offset"])
        found[source] = (record.key, record.value, headers.get("reason"))
    return found


def compare_written(name: str, ours: Mapping[Any, Any], theirs: Mapping[Any, Any]) -> Verdict:
    missing, extra = theirs.keys() - ours.keys(), ours.keys() - theirs.keys()
    other = [key for key in ours.keys() & theirs.keys() if ours[key] != theirs[key]]
    wrong = []
    if missing or extra or other:
        wrong.append(
            f"{name}: {len(missing)} are missing, {len(extra)} too many, {len(other)} are different"
        )
    return Verdict(len(missing), len(extra), wrong)
