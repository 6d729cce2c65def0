"""Records of one partition -> posts, each with what the log alone decides.  Pure.

The first of a batch's two steps (`streams.aggregate` has the second): decode, set aside what
cannot be read, what is no post and what is late, and name the sets in which the rest may have been
seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import Final, NamedTuple, Protocol, TypeAlias
from zlib import crc32

import msgspec

from streams.kept import Keeping, author_name
from streams.keys import GenerationKeys
from streams.posts import PLATFORMS, AccountDeleted, Deleted, Post, Unreadable, decode
from streams.posts.complete import with_closed_hashtags, with_language
from streams.posts.output import hash_author
from streams.retention import HOUR_MS, TAG_KEEP_MS

FUTURE_MS: Final = 5 * 60_000  # a post may be this much newer than its record
_KEYS: Final = GenerationKeys("")
_NEVER: Final = 1 << 62
_LONGEST_OFFSET: Final = 20  # digits of 64 bits


class Record(Protocol):
    """What is used of a Kafka record (aiokafka's own and its `ConsumerRecord` fit)."""

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


class Place(NamedTuple):
    """Where records stand."""

    topic: str
    partition: int


class Rules(NamedTuple):
    """Settings that the counts depend on; the same for all workers of an installation."""

    author_key: bytes
    horizon_ms: int = TAG_KEEP_MS
    buckets: int = 256  # seen-sets per partition and hour; a power of two
    publish_all: bool = False  # `posts.classified` gets all counted posts, not only a campaign's
    closed_hashtags: frozenset[str] = frozenset()  # platforms whose hashtags may be `#closed#`
    keeping: Keeping = Keeping()


class DeadLetter(NamedTuple):
    record: Record
    reason: str
    detail: str


class Reading(msgspec.Struct):
    """What the first step found; `taken` records are covered, the rest is for the next batch.

    `records`, `posts`, `members` and `watermarks` are columns of the candidates: posts that are to
    be counted unless they were before.
    """

    first: int  # offset of the first record, and below of the last one taken
    last: int
    taken: int = 0
    outcomes: dict[tuple[str, str], int] = {}
    dead: list[DeadLetter] = []
    records: list[Record] = []
    posts: list[Post] = []
    members: list[str] = []
    watermarks: list[int] = []  # the watermark before each (-1: none yet)
    groups: dict[str, list[int]] = {}  # candidates by the set in which they may have been seen
    hours: dict[int, list[str]] = {}  # those sets, by hour (since 1970)
    watermark: int | None = None
    expire: dict[str, int] = {}
    sources: dict[str, int] = {}
    misplaced: int = 0
    deleted: dict[str, int] = {}  # uid -> offset of its delete


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
    return _headers(record)[0]


def platform_of(record: Record) -> str | None:
    """The header `platform`."""
    return _headers(record)[1]


def _headers(record: Record) -> tuple[tuple[str, int] | None, str | None]:
    """Anybody can write headers, also without a value: what cannot be meant is not there."""
    partition = offset = platform = None
    for name, value in record.headers:
        if not value:
            continue
        if name == "source-partition":
            partition = value.decode("ascii", "replace")
        elif name == "source-offset":
            offset = int(value) if value.isdigit() and len(value) < _LONGEST_OFFSET else None
        elif name == "platform" and platform is None:
            platform = value.decode("ascii", "replace")
    source = (partition, offset) if partition is not None and offset is not None else None
    return source, platform


#: How many of these records are not in the partition of their uid.
Misplaced: TypeAlias = Callable[[Sequence[Record], Sequence[str]], int]


def read(
    records: Sequence[Record],
    *,
    watermark: int | None,
    sources: Mapping[str, int],
    rules: Rules,
    misplaced: Misplaced | None = None,
) -> Reading:
    """Decode records in log order and decide what the log alone decides.

    `watermark` (ms) and `sources` (highest raw offset by raw partition) are the partition's as of
    the record before.  A forwarded record at or below `sources` is a repeat of the forwarding and
    no record at all.  Stops early (`taken`) where one batch would span more event time than totals
    are kept, so that how the log is cut into batches changes no count.
    """
    out = Reading(records[0].offset, records[0].offset)
    kept, posts, watermarks = out.records, out.posts, out.watermarks
    newest = -1 if watermark is None else watermark
    oldest, horizon, closed = _NEVER, rules.horizon_ms, rules.closed_hashtags
    high = dict(sources)
    late: list[tuple[Record, Post]] = []
    taken = 0
    for record in records:
        source = platform = None
        if record.headers:
            source, platform = _headers(record)
            if source is not None and source[1] <= high.get(source[0], -1):
                taken += 1
                continue
        try:
            post = decode(record.value, platform)
            if type(post) is Post:
                if post.lang == "und" and post.platform != "x":
                    post = with_language(post)
                if post.platform in closed:
                    post = with_closed_hashtags(post)
                created = post.created_at
                if created > record.timestamp + FUTURE_MS:
                    ahead = created - record.timestamp
                    raise Unreadable("future", f"created_at is {ahead} ms after the record")
                if created < newest - horizon:
                    _outcome(out, post.platform, "late")
                    late.append((record, post))
                else:
                    low = created if created < oldest else oldest
                    top = created if created > newest else newest
                    if top - low > TAG_KEEP_MS and taken:
                        break
                    kept.append(record)
                    posts.append(post)
                    watermarks.append(newest)
                    oldest, newest = low, top
            else:
                _outcome(out, post.platform, "ignored")
                if type(post) is Deleted:
                    out.deleted[post.uid] = record.offset
                elif type(post) is AccountDeleted:
                    author = hash_author(rules.author_key, post.platform, post.author_id)
                    out.deleted[author_name(author.hex())] = record.offset
        except Unreadable as error:
            out.dead.append(DeadLetter(record, error.reason, error.detail))
            # A header is anybody's text, and a label has few values.
            known = platform is not None and platform in PLATFORMS
            _outcome(out, platform if known and platform else "unknown", "dead")
        if source is not None:
            high[source[0]] = source[1]
            out.sources[source[0]] = source[1]
        taken += 1
    out.taken = taken
    out.last = records[taken - 1].offset
    out.watermark = None if newest < 0 else newest
    _find_sets(out, rules)
    if misplaced is not None:
        read_records = [*kept, *(record for record, _ in late)]
        out.misplaced = misplaced(read_records, [post.uid for post in (*posts, *_second(late))])
    return out


def _second(pairs: Iterable[tuple[Record, Post]]) -> Iterator[Post]:
    return (post for _, post in pairs)


def _outcome(out: Reading, platform: str, outcome: str) -> None:
    key = (platform, outcome)
    out.outcomes[key] = out.outcomes.get(key, 0) + 1


def _find_sets(out: Reading, rules: Rules) -> None:
    """Name the seen-sets of the candidates.

    Most of a batch is of one hour and platform: sets are gathered by number, and named once each.
    """
    mask = rules.buckets - 1
    members = out.members
    sets: dict[tuple[int, str], dict[int, list[int]]] = {}
    for index, post in enumerate(out.posts):
        uid = post.uid
        # As `seen_member` says; in here, because a call a post is a tenth of a microsecond.
        family, member = ("x", uid[2:]) if post.platform == "x" else seen_member(uid)
        members.append(member)
        place = (post.created_at // HOUR_MS, family)
        buckets = sets.get(place)
        if buckets is None:
            buckets = sets[place] = {}
        bucket = crc32(member.encode()) & mask
        if bucket in buckets:
            buckets[bucket].append(index)
        else:
            buckets[bucket] = [index]
    for (hour, family), buckets in sets.items():
        names = out.hours.setdefault(hour, [])
        for bucket, indices in buckets.items():
            group = _KEYS.seen(hour, family, bucket)
            names.append(group)
            out.groups[group] = indices
            out.expire[group] = (hour + 1) * HOUR_MS + rules.horizon_ms
