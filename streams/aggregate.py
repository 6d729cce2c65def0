"""A batch of records of one partition -> increments.  Pure: no Kafka, no Redis, no clock.

Two steps, because dedupe asks Redis in between:

1. `read` decodes the records and gives each one an outcome or makes it a candidate;
2. `count` takes what Redis knows of the candidates' uids and adds the rest up.

A tight loop over posts adds to a few dictionaries with compound keys, and only their distinct keys
(hundreds a batch, not thousands) are spread over Redis' hashes.  Columns (Polars) were measured
beside it, see `deploy/adr/0001-batch-loop.md`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import blake2b
from typing import Final, NamedTuple, Protocol
from zlib import crc32

import msgspec

from streams.classify import Classifier, Membership
from streams.posts import Post, Unreadable, decode
from streams.posts.output import hash_author
from streams.store.keys import US

HOUR_MS: Final = 3_600_000
FUTURE_MS: Final = 5 * 60_000  # a post may be this much newer than its record
TAG_KEEP_MS: Final = 25 * HOUR_MS  # totals and buckets of other hashtags
CAMPAIGN_KEEP_MS: Final = 49 * HOUR_MS  # buckets of campaigns: 24 h acceleration needs 48 h
TEN_SECONDS_KEEP_MS: Final = HOUR_MS
MINUTE_AUTHORS_KEEP_MS: Final = 2 * HOUR_MS
HOT_POSTS: Final = 100  # other hashtags: authors are counted from this post of an hour on
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


class DeadLetter(NamedTuple):
    record: Record
    reason: str
    detail: str


class Counted(NamedTuple):
    """A counted post for `posts.classified`."""

    record: Record
    post: Post
    campaigns: tuple[Membership, ...]


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


class Result(msgspec.Struct):
    """What the second step adds up: the variable part of a commit."""

    outcomes: dict[tuple[str, str], int]
    reasons: dict[str, int]
    counted: list[Counted]
    incr: dict[str, dict[str, int]]
    tags: dict[str, tuple[int, int]]
    hours: list[tuple[str, int, int, list[tuple[str, int]] | None]]
    authors: dict[str, list[str]]
    first: dict[str, int]
    expire: dict[str, int]
    seen: dict[str, list[str]]  # uids to remember, by set
    ages: list[int]  # created_at of what was counted, ms


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
    out = Reading(start, start, 0, {}, [], [], {}, [], watermark, [], {}, {}, 0)
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
            key = (platform or "unknown", "dead")
            outcomes[key] = outcomes.get(key, 0) + 1
        else:
            if type(post) is not Post:
                key = (post.platform, "ignored")
                outcomes[key] = outcomes.get(key, 0) + 1
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
                    group = f"seen:{created // HOUR_MS}:{family}:{crc32(member.encode()) & mask}"
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


def count(
    reading: Reading,
    known: Iterable[bool],
    *,
    classifier: Classifier,
    rules: Rules,
    hot: frozenset[tuple[str, int]] | set[tuple[str, int]] = frozenset(),
) -> Result:
    """Add up the candidates that neither Redis (`known`, one flag a candidate in the order of
    `reading.groups`) nor an earlier record of the batch has counted.

    `hot` holds the (hashtag, hour in s) pairs whose authors are wanted.
    """
    fresh, seen = _fresh(reading, known)
    is_campaign_tag = classifier.is_campaign_tag
    by_tag: dict[tuple[str, str, str, int], int] = {}
    by_campaign: dict[tuple[Membership, str, str, str, str | None, str | None, int], int] = {}
    since: dict[str, int] = {}
    authors: dict[tuple[str, int], set[str]] = {}
    hot_authors: dict[tuple[str, int], list[tuple[str, int]]] = {}
    first: dict[str, int] = {}
    outcomes = dict(reading.outcomes)
    result = Result(outcomes, {}, [], {}, {}, [], {}, {}, dict(reading.expire), seen, [])
    for letter in reading.dead:
        result.reasons[letter.reason] = result.reasons.get(letter.reason, 0) + 1
    for index, (record, post) in enumerate(reading.candidates):
        if not fresh[index]:
            key = (post.platform, "duplicate")
            outcomes[key] = outcomes.get(key, 0) + 1
            continue
        key = (post.platform, "counted")
        outcomes[key] = outcomes.get(key, 0) + 1
        created = post.created_at
        result.ages.append(created)
        ten = created // 10_000 * 10
        campaigns = classifier.classify(post)
        digest = ""
        if campaigns or rules.publish_all:
            result.counted.append(Counted(record, post, campaigns))
        if campaigns:
            digest = _author(rules, post)
            minute = ten // 60 * 60
            for membership in campaigns:
                answered = (
                    (post.parent if post.kind == "reply" else None)
                    if membership.via == "reply"
                    else None
                )
                part = (
                    membership,
                    post.platform,
                    post.kind,
                    post.lang,
                    post.country,
                    answered,
                    ten,
                )
                by_campaign[part] = by_campaign.get(part, 0) + 1
                authors.setdefault((f"c{US}{membership.campaign}", minute), set()).add(digest)
                for dim, value in (
                    ("platform", post.platform),
                    ("lang", post.lang),
                    ("country", post.country),
                ):
                    if value is not None:
                        name = f"{membership.campaign}{US}{dim}{US}{value}"
                        if created < first.get(name, _NEVER):
                            first[name] = created
        for tag in post.hashtags:
            cell = (tag, post.platform, post.lang, ten)
            by_tag[cell] = by_tag.get(cell, 0) + 1
            if is_campaign_tag(tag):
                digest = digest or _author(rules, post)
                authors.setdefault((f"h{US}{tag}", ten // 60 * 60), set()).add(digest)
                continue
            if tag not in since:
                since[tag] = reading.watermarks[index]
            hour = ten // 3600 * 3600
            if (tag, hour) in hot:
                digest = digest or _author(rules, post)
                hot_authors.setdefault((tag, hour), []).append((digest, ten // 60 * 60))
    result.first = first
    _spread_tags(result, by_tag, since, hot_authors, hot)
    _spread_campaigns(result, by_campaign)
    _spread_authors(result, authors)
    for (platform, outcome), n in outcomes.items():
        result.incr.setdefault("outcomes", {})[f"{platform}{US}{outcome}"] = n
    if result.reasons:
        result.incr["dead"] = dict(result.reasons)
    return result


def _author(rules: Rules, post: Post) -> str:
    """The author's digest in hex: Redis' MessagePack reads strings, but no binary."""
    return hash_author(rules.author_key, post.platform, post.author_id).hex()


def _fresh(reading: Reading, known: Iterable[bool]) -> tuple[list[bool], dict[str, list[str]]]:
    """A flag a candidate (not known to Redis, no repeat within the batch); uids by seen-set."""
    fresh = [True] * len(reading.candidates)
    flags = iter(known)
    members = reading.members
    seen: dict[str, list[str]] = {}
    for group, indices in reading.groups.items():
        batch: dict[str, None] = {}
        for index in indices:
            member = members[index]
            if next(flags) or member in batch:
                fresh[index] = False
            else:
                batch[member] = None
        if batch:
            seen[group] = list(batch)
    return fresh, seen


def _spread_tags(
    result: Result,
    by_tag: Mapping[tuple[str, str, str, int], int],
    since: Mapping[str, int],
    hot_authors: Mapping[tuple[str, int], list[tuple[str, int]]],
    hot: frozenset[tuple[str, int]] | set[tuple[str, int]],
) -> None:
    hours: dict[tuple[str, int], int] = {}
    for (tag, platform, lang, ten), n in by_tag.items():
        minute, hour = ten // 60 * 60, ten // 3600 * 3600
        cell = f"{tag}{US}{platform}{US}{lang}"
        _add(result, f"b:10:{ten}", tag, n, (ten + 10) * 1000 + TEN_SECONDS_KEEP_MS)
        _add(result, f"b:60:{minute}", tag, n, (minute + 60) * 1000 + TAG_KEEP_MS)
        _add(result, f"b:60:{minute}", cell, n)
        _add(result, f"b:3600:{hour}", tag, n, (hour + 3600) * 1000 + TAG_KEEP_MS)
        _add(result, f"b:3600:{hour}", cell, n)
        _add(result, "tags", tag, n)
        _add(result, f"tag:{tag}", f"{platform}{US}{lang}", n)
        began = since.get(tag)
        if began is not None:
            hours[tag, hour] = hours.get((tag, hour), 0) + n
            last = result.tags.get(tag, (0, 0))[0]
            result.tags[tag] = (max(last, ten * 1000), began)
    for (tag, hour), n in hours.items():
        wanted = hot_authors.get((tag, hour), []) if (tag, hour) in hot else None
        result.hours.append((tag, hour, n, wanted))


def _spread_campaigns(
    result: Result,
    by_campaign: Mapping[tuple[Membership, str, str, str, str | None, str | None, int], int],
) -> None:
    for (membership, platform, kind, lang, country, answered, ten), n in by_campaign.items():
        minute, hour = ten // 60 * 60, ten // 3600 * 3600
        name = membership.campaign
        total = f"{name}{US}total{US}"
        _add(result, f"cb:10:{ten}", total, n, (ten + 10) * 1000 + TEN_SECONDS_KEEP_MS)
        fields = [
            total,
            f"{name}{US}joint{US}{platform}{US}{kind}{US}{membership.via}",
            f"{name}{US}stance{US}{membership.stance}",
            f"{name}{US}lang{US}{lang}",
        ]
        if country is not None:
            fields.append(f"{name}{US}country{US}{country}")
        if answered is not None:
            fields.append(f"{name}{US}root{US}{answered}")
        for field in fields:
            _add(result, "campaigns", field, n)
            _add(result, f"cb:60:{minute}", field, n, (minute + 60) * 1000 + CAMPAIGN_KEEP_MS)
            _add(result, f"cb:3600:{hour}", field, n, (hour + 3600) * 1000 + CAMPAIGN_KEEP_MS)


def _spread_authors(result: Result, authors: Mapping[tuple[str, int], set[str]]) -> None:
    for (subject, minute), digests in authors.items():
        hour = minute // 3600 * 3600
        for step, start, keep in (
            (60, minute, MINUTE_AUTHORS_KEEP_MS),
            (3600, hour, TAG_KEEP_MS),
            (0, 0, None),
        ):
            suffix = f"u:{step}:{start}:{subject}"
            result.authors.setdefault(suffix, []).extend(digests)
            if keep is not None:
                result.expire[suffix] = (start + step) * 1000 + keep


def _add(result: Result, suffix: str, field: str, n: int, expire: int | None = None) -> None:
    fields = result.incr.get(suffix)
    if fields is None:
        fields = result.incr[suffix] = {}
        if expire is not None:
            result.expire[suffix] = expire
    fields[field] = fields.get(field, 0) + n
