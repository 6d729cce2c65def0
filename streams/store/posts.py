"""Posts as people read them: the newest first, of all partitions, without those taken back.

What is read is fixed by the log: of the posts of a campaign or hashtag the newest `Keeping.newest`,
no older than `Keeping.age_ms` before the newest post of all.  A page goes on where the one before
it ended, by time and uid; so posts that arrive meanwhile are neither skipped nor shown twice.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

from streams.kept import Keeping, KeptPost, author_name, posts_of
from streams.keys import US, GenerationKeys
from streams.store.commands import Command
from streams.store.reads import Reader
from streams.store.tombstones import deleted

_FIRST_CHUNKS: Final = 2  # of each list; doubled up to:
_MOST_CHUNKS: Final = 512
_MINUTE_MS: Final = 60_000
_PLACES_SECONDS: Final = 1.0  # a new list is seen so much later at most
_END: Final = 1 << 62

#: (topic:partition, prefix of the generation, name of the list)
_Place = tuple[str, str, str]


class Cursor(NamedTuple):
    """The last post of a page, and how many posts were passed up to it."""

    created_at: int
    uid: str
    passed: int


class Page(NamedTuple):
    """`after` is None where there is no more."""

    posts: list[KeptPost]
    after: Cursor | None


class _List:
    """One list of one partition, read from the newest minute down."""

    def __init__(self, start: int) -> None:
        self.below = start  # the newest minute that is not read
        self.chunks = _FIRST_CHUNKS
        self.ended = False
        self.minutes: dict[int, list[bytes]] = {}

    @property
    def known_from(self) -> int:
        """The oldest minute down to which everything is read."""
        return -1 if self.ended else self.below + 1

    def add(self, answer: Sequence[tuple[bytes, float]]) -> None:
        found = [(int(minute), content) for content, minute in answer]
        if len(found) < self.chunks:
            self.ended = True
        else:
            # The oldest minute may have more chunks.
            oldest = found[-1][0]
            found = [(minute, content) for minute, content in found if minute > oldest]
            if found:
                self.below = oldest
            self.chunks *= 2 if not found or self.chunks < _MOST_CHUNKS else 1
        for minute, content in found:
            self.minutes.setdefault(minute, []).append(content)


class PostReader:
    """Reads kept posts.  Errors of redis-py are the caller's."""

    def __init__(self, reader: Reader, keeping: Keeping) -> None:
        self._reader = reader
        self._keeping = keeping
        self._known: tuple[float, set[_Place], int] | None = None

    async def page(
        self,
        *,
        campaign: str | None,
        hashtag: str | None,
        wanted: Callable[[KeptPost], bool],
        after: Cursor | None,
        limit: int,
    ) -> Page:
        """The newest posts for which `wanted` holds, after a cursor.

        A hashtag that is no campaign's is looked for among the newest posts of the campaigns.
        """
        places, newest = await self._places(campaign)
        if hashtag is not None:
            own = {place for place in places if place[2].partition(US)[2] == hashtag}
            places = own or places
        walk = _Walk(self._reader, places, self._keeping, newest, after)
        found: list[KeptPost] = []
        while True:
            candidates = await walk.more(
                lambda post: (hashtag is None or hashtag in post.hashtags) and wanted(post),
                limit + 1 - len(found),
            )
            found += await self._readable(candidates)
            if len(found) > limit:
                return Page(found[:limit], walk.cursor(found[limit - 1]))
            if walk.ended:
                return Page(found, None)

    async def _places(self, campaign: str | None) -> tuple[set[_Place], int]:
        """The lists of a campaign (None: of all), and the newest post (ms)."""
        if self._known is None or time.monotonic() - self._known[0] > _PLACES_SECONDS:
            self._known = (time.monotonic(), *await self._all_places())
        _, places, newest = self._known
        if campaign is not None:
            places = {place for place in places if place[2].partition(US)[0] == campaign}
        return places, newest

    async def _all_places(self) -> tuple[set[_Place], int]:
        places: set[_Place] = set()
        newest = 0
        for answer in await self._reader.read(lambda _, keys: [("smembers", keys.kept_lists)]):
            name = answer.state.name
            newest = max(newest, answer.state.watermark or 0)
            for gen, (members,) in enumerate(answer.replies):
                prefix = self._reader.keys(name).gen(gen).prefix
                places |= {(name, prefix, member.decode()) for member in members}
        return places, newest

    async def _readable(self, posts: list[KeptPost]) -> list[KeptPost]:
        """Without posts that were taken back, or whose author was forgotten."""
        if not posts:
            return []
        names = {post.uid for post in posts} | {author_name(post.author) for post in posts}
        gone = await deleted(self._reader, names)
        return [
            post for post in posts if post.uid not in gone and author_name(post.author) not in gone
        ]


class _Walk:
    """From a cursor to older posts, minute by minute."""

    def __init__(
        self,
        reader: Reader,
        places: set[_Place],
        keeping: Keeping,
        newest: int,
        after: Cursor | None,
    ) -> None:
        start = _END if after is None else after.created_at // _MINUTE_MS
        self.ended = False
        self._reader = reader
        self._lists = {place: _List(start) for place in sorted(places)}
        self._floor = newest - keeping.age_ms
        self._most = keeping.newest
        self._after = after
        self._passed = 0 if after is None else after.passed
        self._rank: dict[str, int] = {}  # of posts that were found, by uid
        # Of minutes that are read, oldest first: a post as each of its campaigns has it.
        self._left: list[list[KeptPost]] = []

    def cursor(self, post: KeptPost) -> Cursor:
        return Cursor(post.created_at, post.uid, self._rank[post.uid])

    async def more(self, wanted: Callable[[KeptPost], bool], limit: int) -> list[KeptPost]:
        """Up to so many more; fewer only where it has ended."""
        found: list[KeptPost] = []
        while len(found) < limit and not self.ended:
            if not self._left:
                await self._read()
                continue
            several = self._left.pop()
            self._passed += 1
            if several[0].created_at <= self._floor or self._passed > self._most:
                self.ended = True
                break
            post = next((post for post in several if post.uid and wanted(post)), None)
            if post is not None:
                self._rank[post.uid] = self._passed
                found.append(post)
        return found

    async def _read(self) -> None:
        """Take the minutes that every list knows, or read on."""
        known_from = max((one.known_from for one in self._lists.values()), default=-1)
        minutes = {
            minute for one in self._lists.values() for minute in one.minutes if minute >= known_from
        }
        if not minutes:
            if known_from < 0:
                self.ended = True
            else:
                await self._fetch()
            return
        posts: dict[tuple[int, str], list[KeptPost]] = {}
        for (_, _, name), one in self._lists.items():
            campaign = name.partition(US)[0]
            for minute in minutes & one.minutes.keys():
                for content in one.minutes.pop(minute):
                    for post in posts_of(content, campaign):
                        posts.setdefault((post.created_at, post.uid), []).append(post)
        after = None if self._after is None else (self._after.created_at, self._after.uid)
        self._left = [posts[key] for key in sorted(posts) if after is None or key < after]

    async def _fetch(self) -> None:
        asked: dict[str, list[_List]] = {}

        def ask(name: str, keys: GenerationKeys) -> list[Command]:
            open_ = [
                (place, one)
                for place, one in self._lists.items()
                if place[:2] == (name, keys.prefix) and not one.ended
            ]
            asked[keys.prefix] = [one for _, one in open_]
            return [
                (
                    "execute_command",
                    "ZREVRANGEBYSCORE",
                    keys.kept(place[2]),
                    *("+inf" if one.below == _END else one.below, 0),
                    *("WITHSCORES", "LIMIT", 0, one.chunks),
                )
                for place, one in open_
            ]

        for answer in await self._reader.read(ask):
            prefix = self._reader.keys(answer.state.name)
            for gen, replies in enumerate(answer.replies):
                for one, reply in zip(asked[prefix.gen(gen).prefix], replies, strict=True):
                    one.add(_pairs(reply))


def _pairs(reply: Sequence[Any]) -> list[tuple[bytes, float]]:
    """Of a reply with scores: pairs, whether the client has made them or not."""
    if reply and isinstance(reply[0], (list, tuple)):
        return [(member, float(score)) for member, score in reply]
    return [(member, float(score)) for member, score in zip(reply[::2], reply[1::2], strict=True)]
