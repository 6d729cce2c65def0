"""The two calls of a batch: what has this partition seen, and write all of it or nothing.

Both compare the stored position (incarnation, next offset) with the caller's, so a zombie after a
rebalance, a repeated command and a Redis that went back in time change nothing: they get `Moved`.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Collection, Iterable, Mapping, Sequence
from hashlib import blake2b
from importlib.resources import files
from itertools import chain
from typing import Any, Final, NamedTuple, Protocol, cast

import msgspec
from redis.asyncio import RedisCluster
from redis.exceptions import RedisError

from streams.increments import Result
from streams.keys import GenerationKeys, PartitionKeys
from streams.reading import Reading
from streams.retention import TAG_KEEP_MS
from streams.store.begun import BegunHours
from streams.store.forgetting import Eraser
from streams.store.layout import newer
from streams.store.tombstones import tombstones

log: Final = logging.getLogger(__name__)

_LUA: Final = files("streams.store") / "lua"
_pack: Final = msgspec.msgpack.Encoder().encode
_NO_OFFSET: Final = -1
_MOST_INDEXED: Final = 50_000
#: Names without the partition: the scripts put its prefix before them.
_KEYS: Final = GenerationKeys("")


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


def key_hash(key: bytes | None) -> str:
    """8 bytes in hex; an absent key differs from an empty one."""
    return "-" if key is None else blake2b(key, digest_size=8).hexdigest()


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


class Asked(NamedTuple):
    """What Redis said before a batch is added up."""

    known: set[int]  # candidates that were counted
    counts: dict[tuple[str, int], int]  # posts by hashtag and hour (since 1970)


def script(*names: str) -> str:
    """One script of several files: what stands before the last are functions that it uses."""
    return "".join((_LUA / f"{name}.lua").read_text() for name in names)


class PartitionStore:
    """Everything that one partition owns in Redis."""

    def __init__(self, redis: Redis, keys: PartitionKeys) -> None:
        self.keys = keys
        self._redis = redis
        self._indexed: set[str] = set()  # keys whose time to go is in Redis
        self._begun = BegunHours()
        self._open = False  # a batch was asked for and is not committed
        self._cluster = isinstance(redis, RedisCluster)
        self._seen = redis.register_script(script("here", "seen"))
        self._commit = redis.register_script(script("here", "keep", "commit"))
        self._eraser = Eraser(redis)
        self._incarnate = redis.register_script((_LUA / "incarnate.lua").read_text())

    async def load(self) -> State:
        """Raises `LayoutError` where a newer layout has the partition."""
        fields = ["gen", "offset", "ts", "key", "watermark", "layout"]
        gen, offset, ts, key, watermark, layout = await self._redis.hmget(self.keys.state, fields)
        if layout is not None:
            raise newer(int(layout))
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

    async def seen(
        self, position: Commit, reading: Reading, tags: Collection[tuple[str, int]]
    ) -> Asked:
        """What was counted of the candidates, and of hashtags in hours.

        Raises `Moved`; where nothing has to be asked, only for a batch that is tried again, so that
        its outputs are not written twice if it was committed.
        """
        asked = self._unsure(reading)
        counts = dict.fromkeys(tags, 0)
        by_hour: dict[int, list[str]] = {}
        for tag, hour in tags:
            if not self._begun.counts_tags(hour):
                by_hour.setdefault(hour, []).append(tag)
        again, self._open = self._open, True
        if not (asked or by_hour or again):
            return Asked(set(), counts)
        members = reading.members
        groups = [[name, [members[index] for index in found]] for name, found in asked.items()]
        request = {
            "cluster": self._cluster,
            "gen": position.gen,
            "offset": _NO_OFFSET if position.expect is None else position.expect,
            "prefix": self.keys.gen(position.gen).prefix,
            "groups": groups,
            "tags": [[_KEYS.bucket(3600, hour * 3600), names] for hour, names in by_hour.items()],
        }
        answer = await self._seen(keys=[self.keys.state], args=[_pack(request)])
        if answer[0] != b"ok":
            raise Moved
        pairs = ((tag, hour) for hour, names in by_hour.items() for tag in names)
        counts.update((pair, int(n or 0)) for pair, n in zip(pairs, answer[2], strict=True))
        flags = zip(chain.from_iterable(asked.values()), cast("bytes", answer[1]), strict=True)
        return Asked({index for index, flag in flags if flag == 49}, counts)  # 49 is "1"

    def _unsure(self, reading: Reading) -> dict[str, list[int]]:
        """Candidates that Redis has to be asked for, by set."""
        if not reading.posts:
            return {}
        self._begun.begin(reading.hours, reading.watermarks[0])
        asked = {}
        for hour, names in reading.hours.items():
            for name in names:
                found = self._begun.unsure(hour, reading.members, reading.groups[name])
                if found:
                    asked[name] = found
        return asked

    async def commit(
        self,
        position: Commit,
        reading: Reading,
        result: Result,
        versions: str,
        incidents: Iterable[Sequence[str]] = (),
    ) -> None:
        """Write the batch.  Raises `Moved` where nothing was written."""
        expire = self._not_indexed(result.expire, reading.watermark)
        request = {
            "cluster": self._cluster,
            "prefix": self.keys.gen(position.gen).prefix,
            "partition": self.keys.prefix,
            "gen": position.gen,
            "expect": _NO_OFFSET if position.expect is None else position.expect,
            "base": position.base,
            "offset": position.offset,
            "ts": position.timestamp,
            "key": position.key,
            "watermark": reading.watermark,
            "keep": TAG_KEEP_MS,
            "tags": [(tag, newest, began) for tag, (newest, began) in result.tags.items()],
            "incr": [
                (key, list(fields), list(fields.values())) for key, fields in result.incr.items()
            ],
            "sadd": result.seen,
            "deleted": tombstones(reading.deleted),
            "authors": result.authors,
            "first": result.first,
            "notes": result.notes,
            "sources": reading.sources,
            "versions": versions,
            "incidents": [list(incident) for incident in incidents],
            "expire": [part for suffix, ms in expire.items() for part in (ms, suffix)],
        }
        kept = () if result.kept is None else result.kept.arguments()
        if await self._commit(keys=[self.keys.state], args=[_pack(request), *kept]) != b"ok":
            raise Moved
        self._open = False
        self._begun.written(reading.hours, result.seen)
        if len(self._indexed) > _MOST_INDEXED:
            self._indexed.clear()
        self._indexed.update(expire)

    def forget(self) -> None:
        """Another position: what Redis was told may not hold there."""
        self._indexed.clear()
        self._begun.forget()
        self._open = False

    def forget_tags(self) -> None:
        """The caller does not remember any more which hashtags it has counted."""
        self._begun.forget_tags()

    def _not_indexed(self, expire: Mapping[str, int], watermark: int | None) -> dict[str, int]:
        """Keys whose time to go Redis may not know; a key that was removed may come again."""
        passed = -1 if watermark is None else watermark
        return {
            suffix: ms
            for suffix, ms in expire.items()
            if suffix not in self._indexed or ms < passed
        }

    async def take_out(self, gen: int, uids: Iterable[str]) -> None:
        """Take deleted posts out of those that are kept: a text must not stay because nobody sees
        it.  Best effort, as tombstones hide them already and the watermark passes them."""
        try:
            await self._eraser.deleted(self.keys.gen(gen), uids)
        except (RedisError, OSError, TimeoutError) as error:
            log.warning("deleted posts cannot be taken out: %s: %s", type(error).__name__, error)

    async def incarnate(self, gen: int, offset: int | None, reason: str) -> None:
        """Begin a new incarnation (another log stands there).  Raises `Moved`."""
        believed = _NO_OFFSET if offset is None else offset
        keys = [self.keys.state, self.keys.incidents]
        if not await self._incarnate(keys=keys, args=[gen, believed, reason]):
            raise Moved
