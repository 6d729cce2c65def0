"""The two calls of a batch: what has this partition seen, and write all of it or nothing.

Both compare the stored position (incarnation, next offset) with the caller's, so a zombie after a
rebalance, a repeated command and a Redis that went back in time change nothing: they get `Moved`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterable, Mapping, Sequence
from importlib.resources import files
from typing import Any, Final, NamedTuple, Protocol, cast

import msgspec
from redis.asyncio import RedisCluster

from streams.increments import Result
from streams.keys import PartitionKeys
from streams.reading import Reading
from streams.retention import HOT_POSTS, MINUTE_AUTHORS_KEEP_MS, TAG_KEEP_MS
from streams.store.tombstones import tombstones

_LUA: Final = files("streams.store") / "lua"
_pack: Final = msgspec.msgpack.Encoder().encode
_NO_OFFSET: Final = -1


class Script(Protocol):
    """A registered Lua script: EVALSHA, and EVAL where Redis does not know it yet."""

    def __call__(self, keys: Sequence[str], args: Sequence[object]) -> Awaitable[Any]: ...


class Redis(Protocol):
    """What is used of `redis.asyncio.Redis` and `RedisCluster`."""

    def register_script(self, script: str) -> Script: ...
    def hmget(self, name: str, keys: list[str]) -> Awaitable[list[bytes | None]]: ...
    def hgetall(self, name: str) -> Awaitable[dict[bytes, bytes]]: ...
    def sadd(self, name: str, *values: str) -> Awaitable[int]: ...
    def hset(self, name: str, *, mapping: Mapping[str, Any]) -> Awaitable[int]: ...
    def hdel(self, name: str, *keys: str) -> Awaitable[int]: ...


class State(NamedTuple):
    """A partition as Redis holds it.

    `offset`: next offset to count, None where nothing is stored; `timestamp` (ms) and `key` (hash)
    of the last counted record, to tell whether the log is still the same; `watermark`: newest
    counted created_at, ms; `sources`: highest raw offset by raw partition (`any` mode).
    """

    gen: int
    offset: int | None
    timestamp: int | None
    key: str
    watermark: int | None
    sources: dict[str, int]


class Moved(Exception):
    """The stored position is not the one the worker believed; nothing was written."""


class Commit(NamedTuple):
    """Position before and after the batch, and its last record."""

    gen: int
    expect: int | None
    base: int  # offset of the first record
    offset: int  # next offset
    timestamp: int
    key: str


class PartitionStore:
    """Everything that one partition owns in Redis."""

    def __init__(self, redis: Redis, keys: PartitionKeys) -> None:
        self.keys = keys
        self._redis = redis
        self._cluster = isinstance(redis, RedisCluster)
        here = (_LUA / "here.lua").read_text()
        self._seen = redis.register_script(here + (_LUA / "seen.lua").read_text())
        self._commit = redis.register_script(here + (_LUA / "commit.lua").read_text())
        self._incarnate = redis.register_script((_LUA / "incarnate.lua").read_text())

    async def load(self) -> State:
        fields = ["gen", "offset", "ts", "key", "watermark"]
        gen, offset, ts, key, watermark = await self._redis.hmget(self.keys.state, fields)
        generation = int(gen or 0)
        sources: dict[str, int] = {}
        if offset is not None:
            stored = await self._redis.hgetall(self.keys.gen(generation).sources)
            sources = {name.decode(): int(value) for name, value in stored.items()}
        return State(
            gen=generation,
            offset=None if offset is None else int(offset),
            timestamp=None if ts is None else int(ts),
            key=(key or b"").decode(),
            watermark=None if watermark is None else int(watermark),
            sources=sources,
        )

    async def seen(self, gen: int, offset: int | None, reading: Reading) -> list[bool]:
        """One flag a candidate, in the order of `reading.groups`.  Raises `Moved`."""
        groups = [
            [name, [reading.members[index] for index in indices]]
            for name, indices in reading.groups.items()
        ]
        if not groups:
            return []
        request = {
            "gen": gen,
            "offset": _NO_OFFSET if offset is None else offset,
            "prefix": self.keys.gen(gen).prefix,
            "cluster": self._cluster,
            "groups": groups,
        }
        answer = await self._seen(keys=[self.keys.state], args=[_pack(request)])
        if answer[0] != b"ok":
            raise Moved
        return [flag == 49 for flag in cast("bytes", answer[1])]  # 49 is "1"

    async def commit(
        self,
        position: Commit,
        reading: Reading,
        result: Result,
        versions: Mapping[str, str],
        incidents: Iterable[Sequence[str]] = (),
    ) -> set[tuple[str, int]]:
        """Write the batch; an empty set means done.

        A non-empty set names (hashtag, hour) pairs that became hot: nothing was written, and the
        batch is to be counted again with their authors.  Raises `Moved`.
        """
        generation = self.keys.gen(position.gen)
        request = {
            "prefix": generation.prefix,
            "cluster": self._cluster,
            "partition": self.keys.prefix,
            "gen": position.gen,
            "expect": _NO_OFFSET if position.expect is None else position.expect,
            "base": position.base,
            "offset": position.offset,
            "ts": position.timestamp,
            "key": position.key,
            "watermark": reading.watermark,
            "hot": HOT_POSTS,
            "keep": TAG_KEEP_MS,
            "keep_minute": MINUTE_AUTHORS_KEEP_MS,
            "hours": result.hours,
            "tags": result.tags,
            "incr": result.incr,
            "sadd": result.seen,
            "deleted": tombstones(reading.deleted),
            "authors": result.authors,
            "first": result.first,
            "notes": result.notes,
            "sources": reading.sources,
            "versions": versions,
            "incidents": [list(incident) for incident in incidents],
            "expire": result.expire,
        }
        answer = await self._commit(keys=[self.keys.state], args=[_pack(request)])
        if answer[0] == b"ok":
            return set()
        if answer[0] == b"authors":
            return {(answer[i].decode(), int(answer[i + 1])) for i in range(1, len(answer), 2)}
        raise Moved

    async def incarnate(self, gen: int, offset: int | None, reason: str) -> None:
        """Begin a new incarnation (another log stands there).  Raises `Moved`."""
        believed = _NO_OFFSET if offset is None else offset
        keys = [self.keys.state, self.keys.incidents]
        if not await self._incarnate(keys=keys, args=[gen, believed, reason]):
            raise Moved
