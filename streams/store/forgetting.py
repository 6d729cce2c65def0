"""Taking out what is kept of posts and authors.  Counts stay: they hold no person.

What is hidden is decided by tombstones (`streams.store.tombstones`); here the posts themselves go.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from importlib.resources import files
from math import inf
from typing import Any, Final, NamedTuple

import msgspec

from streams.kept import author_name, without
from streams.keys import US, GenerationKeys, Layout
from streams.posts.birth import born_ms
from streams.retention import HOUR_MS
from streams.store.kinship import kin_place
from streams.store.reads import Reader
from streams.store.tombstones import place

_LUA: Final = files("streams.store") / "lua"
_MINUTE_MS: Final = 60_000
_PAGE: Final = 500
_HOURS: Final = 50  # nothing of an hour is kept for longer
_quoted: Final = msgspec.json.Encoder().encode


class Eraser:
    """Takes posts out of the lists of kept posts."""

    def __init__(self, redis: Any) -> None:
        self._redis = redis
        self._find = redis.register_script((_LUA / "kept_of.lua").read_text())
        self._replace = redis.register_script((_LUA / "replace.lua").read_text())

    async def deleted(self, keys: GenerationKeys, uids: Iterable[str]) -> int:
        """Take these posts out of one partition's lists; how many chunks they stood in.

        Only those whose uid says when they were made: the others go with the watermark.
        """
        gone = set(uids)
        asked: list[str | int | bytes] = []
        for uid in gone:
            born = born_ms(uid)
            if born is not None:
                asked += (born // _MINUTE_MS, _quoted(uid))
        if not asked:
            return 0
        found = await self._find(keys=[keys.kept_lists], args=[keys.kept(""), *asked])
        chunks = list(zip(found[::3], found[1::3], found[2::3], strict=True))
        for key, minute, chunk in chunks:
            left, _ = without(chunk, lambda uid, _: uid in gone)
            await self._replace(keys=[key], args=[minute, chunk, left])
        return len(chunks)

    async def all(self, keys: GenerationKeys, leaves: Callable[[str, str], bool]) -> set[str]:
        """Take every post for which `leaves(uid, author)` holds out of one partition's lists; the
        uids of those that were there."""
        taken: set[str] = set()
        for member in await self._redis.smembers(keys.kept_lists):
            key = keys.kept(member.decode())
            async for chunk, minute in self._redis.zscan_iter(key, count=_PAGE):
                if minute <= 0:  # the total
                    continue
                left, gone = without(chunk, leaves)
                if gone:
                    await self._replace(keys=[key], args=[int(minute), chunk, left])
                    taken |= gone
        return taken


class Forgotten(NamedTuple):
    """What was removed: kept posts by uid, notes of amplifiers, events that named such a post, and
    what reposts and replies would have inherited of one."""

    posts: list[str]
    notes: int
    events: int
    subjects: int


async def forget(
    redis: Any, layout: Layout, *, uid: str | None = None, author: str | None = None
) -> Forgotten:
    """Remove what is kept of a post, or of an author (digest in hex), and leave a tombstone.

    The tombstone never goes: it holds for what is read again, and for what comes later.  It is
    written first, so that nothing is shown that comes meanwhile.  Raises what redis-py raises, and
    `LookupError` where nothing was ever counted.
    """
    reader = Reader(redis, layout)
    partitions = await reader.partitions()
    if not partitions:
        raise LookupError("nothing was ever counted here")
    states = {state.name: state for state in await reader.states()}
    bucket, member = place(uid if uid is not None else author_name(author or ""))
    for name, keys in partitions.items():
        await redis.zadd(keys.gen(states[name].gen).deleted(bucket), {member: inf})

    def leaves(of: str, by: str) -> bool:
        return of == uid if uid is not None else by == author

    eraser = Eraser(redis)
    posts: set[str] = set()
    for name, keys in partitions.items():
        for gen in range(states[name].gen + 1):
            posts |= await eraser.all(keys.gen(gen), leaves)
    gone = posts | ({uid} if uid is not None else set())
    names = [name.decode() for name in await redis.hkeys(layout.campaigns)]
    answered = [f"{name}{US}{one}" for name in names for one in gone]
    notes = 0
    for name, keys in partitions.items():
        for gen in range(states[name].gen + 1):
            notes += await _notes(redis, keys.gen(gen), gone, states[name].watermark)
            await _replies(redis, keys.gen(gen), answered, states[name].watermark)
    return Forgotten(
        sorted(posts),
        notes,
        await _events(redis, layout, gone),
        await _subjects(redis, layout, gone),
    )


async def _notes(redis: Any, keys: GenerationKeys, uids: set[str], watermark: int | None) -> int:
    """Of the hours in which notes of amplifiers are kept."""
    if watermark is None or not uids:
        return 0
    removed = 0
    hour = watermark // HOUR_MS
    for start in range(hour - _HOURS, hour + 1):
        found = []
        for key in (keys.calls(start), keys.amplified(start)):
            stored = await redis.hkeys(key)
            found = [field for field in stored if field.decode().partition(US)[2] in uids]
            if found:
                await redis.hdel(key, *found)
        removed += len(found)  # a call is noted twice
    return removed


async def _replies(
    redis: Any, keys: GenerationKeys, fields: list[str], watermark: int | None
) -> None:
    """How often these posts were answered: the numbers carry their uids."""
    if watermark is None or not fields:
        return
    hour = watermark // HOUR_MS
    for start in range(hour - _HOURS, hour + 1):
        await redis.hdel(keys.replies(start), *fields)


async def _events(redis: Any, layout: Layout, uids: set[str]) -> int:
    stream, first, removed = layout.events.stream, "-", 0
    while entries := await redis.xrange(stream, min=first, count=_PAGE):
        gone = [cursor for cursor, fields in entries if fields.get(b"name", b"").decode() in uids]
        if gone:
            removed += await redis.xdel(stream, *gone)
        first = f"({entries[-1][0].decode()}"
    return removed


async def _subjects(redis: Any, layout: Layout, uids: set[str]) -> int:
    found = [place_ for uid in uids if (place_ := kin_place(layout, uid)) is not None]
    removals: list[Awaitable[int]] = [redis.hdel(key, field) for key, field in found]
    return sum([await removal for removal in removals])
