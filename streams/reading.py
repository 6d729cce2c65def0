"""Records of one partition -> posts, each with what the log alone decides.  Pure.

The first of a batch's two steps (`streams.aggregate` has the second): decode, set aside what
cannot be read, what is no post and what is late, and name the sets in which the rest may have been
seen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2b
from typing import Final, NamedTuple, Protocol
from zlib import crc32

import msgspec

from streams.keys import GenerationKeys
from streams.posts import PLATFORMS, Deleted, Post, Unreadable, decode
from streams.retention import HOUR_MS, TAG_KEEP_MS

FUTURE_MS: Final = 5 * 60_000  # a post may be this much newer than its record
_KEYS: Final = GenerationKeys("")
_NEVER: Final = 1 << 62


class Record(Protocol):
    """What is used of a Kafka record (aiokafka's `ConsumerRecord` fits)."""

    @property
    def topic(self) -> str: ...
    @property
    def partition(self) -> int: ...
    @property
    def offset(self) -> int: ...
    @property
    def timestamp(self) -> int: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> Sequence[tuple[str, bytes]]: ...


class Rules(NamedTuple):
    """Settings that the counts depend on; the same for all workers of an installation."""

    author_key: bytes
    horizon_ms: int = TAG_KEEP_MS
    buckets: int = 64  # seen-sets per partition and hour; a power of two
    publish_all: bool = False  # `posts.classified` gets all counted posts, not only a campaign's
    closed_hashtags: frozenset[str] = frozenset()  # platforms whose hashtags may be `#closed#`


class DeadLetter(NamedTuple):
    record: Record
    reason: str
    detail: str


class Reading(msgspec.Struct):
    """What the first step found; `taken` records are covered, the rest is for the next batch."""

    first: int  # offset of the first record, and below of the last one taken
    last: int
    taken: int
    outcomes: dict[tuple[str, str], int]
    dead: list[DeadLetter]
    candidates: list[tuple[Record, Post]]
    groups: dict[str, list[int]]
    members: list[str]
    watermark: int | None
    watermarks: list[int]  # beside `candidates`: the watermark before each (-1: none yet)
    expire: dict[str, int]
    sources: dict[str, int]
    misplaced: int
    deleted: dict[str, int]  # uid -> offset of its delete


def seen_member(uid: str) -> tuple[str, str]:
    """Family and 64-bit member under which a uid is remembered.

    An X id is a 64-bit integer itself: exact.  Another platform's uid becomes a 64-bit BLAKE2b:
    sets are by hour, so that at 12 million posts a day two of them collide once in six million
    days (birthday bound n^2 / (2 * 24 * 2^64)).  Redis keeps sets of integers as sorted arrays of
    8 bytes a member while they are small.
    """
    if uid.startswith("x:"):
        return "x", uid[2:]
    digest = blake2b(uid.encode(), digest_size=8).digest()
    return "h", str(int.from_bytes(digest, "big", signed=True))


def source_of(record: Record) -> tuple[str, int] | None:
    """Partition and offset of the raw record that this one was forwarded from, if it was."""
    partition = offset = None
    for name, value in record.headers:
        if name == "source-partition":
            partition = value.decode("ascii", "replace")
        elif name == "source-offset":
            offset = int(value)
    return (partition, offset) if partition is not None and offset is not None else None


def platform_of(record: Record) -> str | None:
    for name, value in record.headers:
        if name == "platform":
            return value.decode("ascii", "replace")
    return None


def read(
    records: Sequence[Record],
    *,
    watermark: int | None,
    sources: Mapping[str, int],
    rules: Rules,
    misplaced: Callable[[Record, str], bool] | None = None,
) -> Reading:
    """Decode records in log order and decide what the log alone decides.

    `watermark` (ms) and `sources` (highest raw offset by raw partition) are the partition's as of
    the record before.  A forwarded record at or below `sources` is a repeat of the forwarding and
    no record at all.  Stops early (`taken`) where one batch would span more event time than totals
    are kept, so that how the log is cut into batches changes no count.
    """
    start = records[0].offset
    out = Reading(start, start, 0, {}, [], [], {}, [], watermark, [], {}, {}, 0, {})
    outcomes, groups, candidates, members = out.outcomes, out.groups, out.candidates, out.members
    newest = -1 if watermark is None else watermark
    oldest = _NEVER
    horizon, mask = rules.horizon_ms, rules.buckets - 1
    high = dict(sources)
    taken = 0
    for record in records:
        if record.headers:
            source = source_of(record)
            if source is not None and source[1] <= high.get(source[0], -1):
                taken += 1
                continue
            platform = platform_of(record)
        else:
            source = platform = None
        try:
            post = decode(record.value, platform)
            if type(post) is Post and post.created_at > record.timestamp + FUTURE_MS:
                raise Unreadable(
                    "future",
                    f"created_at is {post.created_at - record.timestamp} ms after the record",
                )
        except Unreadable as error:
            out.dead.append(DeadLetter(record, error.reason, error.detail))
            # A header is anybody's text, and a label has few values.
            known = "unknown" if platform is None or platform not in PLATFORMS else platform
            key = (known, "dead")
            outcomes[key] = outcomes.get(key, 0) + 1
        else:
            if type(post) is not Post:
                key = (post.platform, "ignored")
                outcomes[key] = outcomes.get(key, 0) + 1
                if type(post) is Deleted:
                    out.deleted[post.uid] = record.offset
            else:
                created = post.created_at
                if created < newest - horizon:
                    key = (post.platform, "late")
                    outcomes[key] = outcomes.get(key, 0) + 1
                else:
                    low = created if created < oldest else oldest
                    top = created if created > newest else newest
                    if top - low > TAG_KEEP_MS and taken and low != _NEVER:
                        break
                    oldest = low
                    family, member = seen_member(post.uid)
                    group = _KEYS.seen(created // HOUR_MS, family, crc32(member.encode()) & mask)
                    at = groups.get(group)
                    if at is None:
                        at = groups[group] = []
                        out.expire[group] = (created // HOUR_MS + 1) * HOUR_MS + horizon
                    at.append(len(candidates))
                    candidates.append((record, post))
                    members.append(member)
                    out.watermarks.append(newest)
                    newest = top
                if misplaced is not None and misplaced(record, post.uid):
                    out.misplaced += 1
        if source is not None:
            high[source[0]] = source[1]
            out.sources[source[0]] = source[1]
        taken += 1
    out.taken = taken
    out.last = records[taken - 1].offset
    out.watermark = None if newest < 0 else newest
    return out
