"""Hashtags and campaigns of posts, for the reposts and replies that come without them.

A subject is in another partition than its heirs, so this is outside of what a partition owns, and
best effort: bounded, forgotten a day later, and never a reason to wait.  Which campaign an heir is
counted under may differ in a replay; that it is counted once may not, and does not.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable, Mapping
from importlib.resources import files
from typing import Any, Final
from zlib import crc32

import msgspec
from redis.exceptions import RedisError

from streams.classify import Classifier, Membership
from streams.increments import Result
from streams.inheritance import NOTHING, PLATFORMS, Heritage, Inherited, is_heir
from streams.keys import Layout
from streams.posts.birth import born_ms
from streams.reading import Reading, seen_member
from streams.retention import HOUR_MS

log: Final = logging.getLogger(__name__)

_BUCKETS: Final = 8
#: Subjects a bucket and hour; with 25 hours of 8 buckets, 4 million at most.
_MOST: Final = 20_000
_KEPT_SECONDS: Final = 26 * 3600  # by the wall: it bounds memory, and decides no count
_REMEMBERED: Final = 20_000  # subjects that a worker has just seen itself

_Stored = tuple[tuple[str, ...], tuple[Membership, ...]]
_pack: Final = msgspec.msgpack.Encoder().encode
_unpack: Final = msgspec.msgpack.Decoder(_Stored).decode


class KinshipStore:
    """One worker's view; `report(hits, misses)` is told how many subjects were known."""

    def __init__(self, redis: Any, layout: Layout, report: Callable[[int, int], None]) -> None:
        self._redis = redis
        self._layout = layout
        self._report = report
        self._recent: OrderedDict[str, Heritage] = OrderedDict()
        script = (files("streams.store") / "lua" / "kinship.lua").read_text()
        self._write = redis.register_script(script)

    async def inherited(self, reading: Reading, classifier: Classifier) -> Inherited:
        """What the batch's heirs inherit, by index of the candidate."""
        heirs = {
            index: post.parent
            for index, post in enumerate(reading.posts)
            if post.platform in PLATFORMS and is_heir(post) and post.parent is not None
        }
        if not heirs:
            return NOTHING
        wanted = set(heirs.values())
        known = {uid: self._recent[uid] for uid in wanted & self._recent.keys()}
        # Subjects of the same batch are not stored yet.
        for post in reading.posts:
            if post.uid in wanted and post.uid not in known and post.kind != "repost":
                known[post.uid] = Heritage(post.hashtags, classifier.classify(post))
        known.update(await self._look_up(wanted - known.keys()))
        found = {index: known[uid] for index, uid in heirs.items() if uid in known}
        self._report(len(found), len(heirs) - len(found))
        return found

    async def _look_up(self, uids: set[str]) -> Mapping[str, Heritage]:
        places: dict[str, dict[str, str]] = {}
        for uid in uids:
            place = kin_place(self._layout, uid)
            if place is not None:
                places.setdefault(place[0], {})[place[1]] = uid
        try:
            answers = await asyncio.gather(
                *(self._redis.hmget(key, list(members)) for key, members in places.items())
            )
        except (RedisError, OSError, TimeoutError) as error:
            log.warning("subjects cannot be read: %s: %s", type(error).__name__, error)
            return {}
        found = {}
        for members, values in zip(places.values(), answers, strict=True):
            for uid, value in zip(members.values(), values, strict=True):
                if value is not None:
                    found[uid] = Heritage(*_unpack(value))
        return found

    async def remember(self, result: Result) -> None:
        """Keep what the batch's posts leave."""
        values: dict[str, list[bytes | str]] = {}
        for post, campaigns in result.heritages:
            heritage = self._recent[post.uid] = Heritage(post.hashtags, campaigns)
            place = kin_place(self._layout, post.uid)
            if place is not None:
                values.setdefault(place[0], []).extend((place[1], _pack(tuple(heritage))))
        while len(self._recent) > _REMEMBERED:
            self._recent.popitem(last=False)
        try:
            await asyncio.gather(
                *(
                    self._write(keys=[key], args=[_MOST, _KEPT_SECONDS, *fields])
                    for key, fields in values.items()
                )
            )
        except (RedisError, OSError, TimeoutError) as error:
            log.warning("subjects cannot be kept: %s: %s", type(error).__name__, error)


def kin_place(layout: Layout, uid: str) -> tuple[str, str] | None:
    """Key and field of a subject: its uid says when it was made; None where it does not."""
    born = born_ms(uid)
    if born is None:
        return None
    _, member = seen_member(uid)
    return layout.kin(born // HOUR_MS, crc32(member.encode()) % _BUCKETS), member
