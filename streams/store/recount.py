"""A campaign's new version in Redis, beside the keys of one partition, until it takes their place.

It is written by the same script as the partition's own keys, and compared with them by the script
that swaps: both are in one slot, so a Redis that goes back takes both back.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, Final, NamedTuple

import msgspec
from redis.asyncio import RedisCluster

from streams.increments import Result
from streams.keys import US, GenerationKeys, PartitionKeys
from streams.reading import Reading
from streams.store.commit import Asked, Commit, PartitionStore, script

_pack: Final = msgspec.msgpack.Encoder().encode
_KEYS: Final = GenerationKeys("")
_HASHES_AT_ONCE: Final = 20  # in one call: a few ms where hundreds of campaigns share them
_UNLINKED_AT_ONCE: Final = 500
#: What stands beside the indexed keys of a new version.
_FIXED: Final = ("campaigns", "first", "sources", "rules", "kept", "tagged", "tags", "index")


class Live(NamedTuple):
    """A partition as its worker left it.

    `offset` is the next to count, None before the first; `rules` (JSON, empty before the first) and
    `notes` (how many there are) tell what counted the last batch; `drained`: the worker said that
    the log has no more.
    """

    gen: int
    offset: int | None
    rules: str
    notes: int
    drained: bool

    def revision(self, campaign: str) -> str | None:
        """`version+digest` of the campaign in the rules, None where it is not counted."""
        found = json.loads(self.rules)["campaigns"].get(campaign) if self.rules else None
        return None if found is None else str(found)


class Mark(NamedTuple):
    """Where and by what a campaign was swapped: id, offset."""

    id: str
    offset: int


class Bounds(NamedTuple):
    """Offsets of a partition: first to read (and remember), and first to count."""

    read_from: int
    count_from: int


class Stale(NamedTuple):
    """What stands under the campaign in the partition's keys: fields by hash, keys, lists."""

    fields: list[tuple[str, list[bytes]]]
    keys: list[str]
    lists: list[str]


class VersionStore(PartitionStore):
    """The new version, written as a partition is, with each batch cut down by `cut`."""

    def __init__(self, redis: Any, keys: PartitionKeys, cut: Callable[[Result], Result]) -> None:
        super().__init__(redis, keys)
        self.cut = cut

    async def seen(
        self, position: Commit, reading: Reading, tags: Collection[tuple[str, int]]
    ) -> Asked:
        """Hashtags are not counted again: none was counted before."""
        asked = await super().seen(position, reading, ())
        return Asked(asked.known, dict.fromkeys(tags, 0))

    async def commit(
        self,
        position: Commit,
        reading: Reading,
        result: Result,
        versions: str,
        incidents: Iterable[Sequence[str]] = (),
    ) -> None:
        """Tombstones are the partition's own."""
        whole = msgspec.structs.replace(reading, deleted={})
        await super().commit(position, whole, self.cut(result), versions, incidents)


class RecountStore:
    """What one partition holds of a campaign, old and new.  Errors of redis-py are the caller's."""

    def __init__(self, redis: Any, keys: PartitionKeys, campaign: str) -> None:
        self.keys = keys
        self.campaign = campaign
        self._redis = redis
        self._claim = keys.recount(campaign)
        self._cluster = isinstance(redis, RedisCluster)
        self._begin = redis.register_script(script("recount_begin"))
        self._drop = redis.register_script(script("recount_drop"))
        self._fields = redis.register_script(script("recount_fields"))
        self._swap = redis.register_script(script("here", "recount_swap"))

    async def live(self) -> Live:
        names = ["gen", "offset", "rules"]
        gen, offset, rules = await self._redis.hmget(self.keys.state, names)
        number = int(gen or 0)
        notes = await self._redis.hlen(self.keys.gen(number).rules)
        end = await self._redis.hget(self.keys.live, "end")
        drained = end is not None and offset is not None and int(offset) >= int(end)
        return Live(
            number,
            None if offset is None else int(offset),
            (rules or b"").decode(),
            int(notes),
            drained,
        )

    async def mark(self, gen: int) -> Mark | None:
        """The last swap of the campaign."""
        text = await self._redis.hget(self.keys.gen(gen).recounts, self.campaign)
        if text is None:
            return None
        document = json.loads(text)
        return Mark(document["id"], document["offset"])

    async def revisions_since(self, gen: int, offset: int) -> set[str | None]:
        """Revisions of the campaign that counted from this offset on, by the notes made there."""
        notes = await self._redis.hgetall(self.keys.gen(gen).rules)
        return {
            json.loads(text)["campaigns"].get(self.campaign)
            for at, text in notes.items()
            if int(at) >= offset
        }

    async def begin(self, id_: str, gen: int, bounds: Bounds) -> Bounds | None:
        """Begin a version, or find it as it was begun; None where the generation is another."""
        state = self.keys.version(self.campaign, id_).state
        answer = await self._begin(
            keys=[self.keys.state, self._claim, state], args=[id_, gen, *bounds]
        )
        if answer[0] == b"moved":
            return None
        return Bounds(int(answer[1]), int(answer[2])) if len(answer) > 1 else bounds

    async def claimed(self) -> str | None:
        """Id of the version that was begun last and is not swapped yet."""
        found = await self._redis.hget(self._claim, "id")
        return None if found is None else str(found.decode())

    async def drop(self, id_: str) -> None:
        """Give a version up."""
        state = self.keys.version(self.campaign, id_).state
        await self._drop(keys=[self._claim, state], args=[id_])

    async def stale(self, gen: int) -> Stale:
        """What the partition's keys hold of the campaign now."""
        keys = self.keys.gen(gen)
        own, whose = f"{self.campaign}{US}", f":c{US}{self.campaign}"
        hashes = [_KEYS.campaigns, _KEYS.first]
        gone = [_KEYS.authors(0, 0, f"c{US}{self.campaign}")]
        async for member, _ in self._redis.zscan_iter(keys.expiry, count=1000):
            suffix = member.decode()
            if suffix.startswith(("cb:", "a:")):
                hashes.append(suffix)
            elif suffix.startswith("u:") and suffix.endswith(whose):
                gone.append(suffix)
        lists = [member.decode() for member in await self._redis.smembers(keys.kept_lists)]
        lists = [name for name in lists if name.startswith(own)]
        fields: list[tuple[str, list[bytes]]] = []
        hashes.sort()
        for first in range(0, len(hashes), _HASHES_AT_ONCE):
            part = hashes[first : first + _HASHES_AT_ONCE]
            answer = await self._fields(keys=[self.keys.state], args=[keys.prefix, own, *part])
            fields += [(suffix, of) for suffix, of in zip(part, answer, strict=True) if of]
        return Stale(fields, [*gone, *(_KEYS.kept(name) for name in lists)], lists)

    async def swap(
        self, id_: str, live: Live, stale: Stale, *, note: str, facts: dict[str, Any]
    ) -> str:
        """Put the version in the place of what stands there: `ok`, `moved` or `taken`.

        `note` are rules to note, empty where those in force stay; `facts` stand in the mark.
        """
        version = self.keys.version(self.campaign, id_)
        request = {
            "cluster": self._cluster,
            "id": id_,
            "gen": live.gen,
            "offset": live.offset,
            "rules": live.rules,
            "notes": live.notes,
            "prefix": self.keys.gen(live.gen).prefix,
            "staging": version.gen(live.gen).prefix,
            "campaign": self.campaign,
            "authors": _KEYS.authors(0, 0, f"c{US}{self.campaign}"),
            "stale": [(suffix, [field.decode() for field in of]) for suffix, of in stale.fields],
            "gone": stale.keys,
            "lists": stale.lists,
            "note": note,
            "mark": json.dumps({"id": id_, "offset": live.offset, **facts}),
        }
        keys = [self.keys.state, self._claim, version.state]
        answer: bytes = await self._swap(keys=keys, args=[_pack(request)])
        return answer.decode()

    async def tidy(self) -> None:
        """Remove what is left of versions that were swapped or given up; may be repeated."""
        for name, gen in (await self._redis.hgetall(self._claim)).items():
            kind, _, id_ = name.decode().partition(":")
            if kind != "waste":
                continue
            keys = self.keys.version(self.campaign, id_).gen(int(gen))
            while suffixes := await self._redis.zrange(keys.expiry, 0, _UNLINKED_AT_ONCE - 1):
                await self._redis.unlink(*(keys.prefix + suffix.decode() for suffix in suffixes))
                await self._redis.zrem(keys.expiry, *suffixes)
            authors = _KEYS.authors(0, 0, f"c{US}{self.campaign}")
            await self._redis.unlink(*(keys.prefix + name for name in (*_FIXED, authors)))
            await self._redis.hdel(self._claim, name)
