"""What of a batch is new -> increments.  Pure: no Kafka, no Redis, no clock.

The second of a batch's two steps, because dedupe asks Redis in between: `streams.reading` decodes
the records, Redis says which uids it knows, and `count` adds the rest up.

A tight loop over posts adds to a few dictionaries with compound keys, and only their distinct keys
(hundreds a batch, not thousands) are spread over Redis' hashes.  Columns (Polars) were measured
beside it, see `deploy/adr/0001-batch-loop.md`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from typing import Final, NamedTuple

import msgspec

from streams.classify import Classifier, Membership
from streams.keys import US, GenerationKeys
from streams.posts import Post
from streams.posts.output import hash_author
from streams.reading import Reading, Record, Rules
from streams.retention import (
    CAMPAIGN_KEEP_MS,
    MINUTE_AUTHORS_KEEP_MS,
    TAG_KEEP_MS,
    TEN_SECONDS_KEEP_MS,
)

_NEVER: Final = 1 << 62
#: Names without the partition: the commit puts its prefix before them.
_KEYS: Final = GenerationKeys("")


class Counted(NamedTuple):
    """A counted post for `posts.classified`."""

    record: Record
    post: Post
    campaigns: tuple[Membership, ...]


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


def count(
    reading: Reading,
    known: Iterable[bool],
    *,
    classifier: Classifier,
    rules: Rules,
    hot: Set[tuple[str, int]] = frozenset(),
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
        result.incr.setdefault(_KEYS.outcomes, {})[f"{platform}{US}{outcome}"] = n
    if result.reasons:
        result.incr[_KEYS.dead] = dict(result.reasons)
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
    hot: Set[tuple[str, int]],
) -> None:
    hours: dict[tuple[str, int], int] = {}
    for (tag, platform, lang, ten), n in by_tag.items():
        minute, hour = ten // 60 * 60, ten // 3600 * 3600
        cell = f"{tag}{US}{platform}{US}{lang}"
        _add(result, _KEYS.bucket(10, ten), tag, n, (ten + 10) * 1000 + TEN_SECONDS_KEEP_MS)
        _add(result, _KEYS.bucket(60, minute), tag, n, (minute + 60) * 1000 + TAG_KEEP_MS)
        _add(result, _KEYS.bucket(60, minute), cell, n)
        _add(result, _KEYS.bucket(3600, hour), tag, n, (hour + 3600) * 1000 + TAG_KEEP_MS)
        _add(result, _KEYS.bucket(3600, hour), cell, n)
        _add(result, _KEYS.tags, tag, n)
        _add(result, _KEYS.tag(tag), f"{platform}{US}{lang}", n)
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
        _add(
            result,
            _KEYS.campaign_bucket(10, ten),
            total,
            n,
            (ten + 10) * 1000 + TEN_SECONDS_KEEP_MS,
        )
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
            _add(result, _KEYS.campaigns, field, n)
            _add(
                result,
                _KEYS.campaign_bucket(60, minute),
                field,
                n,
                (minute + 60) * 1000 + CAMPAIGN_KEEP_MS,
            )
            _add(
                result,
                _KEYS.campaign_bucket(3600, hour),
                field,
                n,
                (hour + 3600) * 1000 + CAMPAIGN_KEEP_MS,
            )


def _spread_authors(result: Result, authors: Mapping[tuple[str, int], set[str]]) -> None:
    for (subject, minute), digests in authors.items():
        hour = minute // 3600 * 3600
        for step, start, keep in (
            (60, minute, MINUTE_AUTHORS_KEEP_MS),
            (3600, hour, TAG_KEEP_MS),
            (0, 0, None),
        ):
            suffix = _KEYS.authors(step, start, subject)
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
