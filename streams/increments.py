"""The increments of a batch, by key and field of Redis: the variable part of a commit.  Pure.

The loop over posts counts in a few dictionaries with compound keys; here their distinct keys
(hundreds a batch, not thousands) are spread over Redis' hashes.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Final, NamedTuple

import msgspec

from streams.classify import Membership
from streams.keys import US, GenerationKeys
from streams.posts import Post
from streams.reading import Record
from streams.retention import (
    CAMPAIGN_KEEP_MS,
    HOUR_MS,
    MINUTE_AUTHORS_KEEP_MS,
    TAG_KEEP_MS,
    TEN_SECONDS_KEEP_MS,
)

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
    seen: dict[str, list[str]]  # uids to remember, by set
    expire: dict[str, int]
    reasons: dict[str, int] = {}
    counted: list[Counted] = []
    incr: dict[str, dict[str, int]] = {}
    tags: dict[str, tuple[int, int]] = {}
    hours: list[tuple[str, int, int, list[tuple[str, int]] | None]] = []
    authors: dict[str, list[str]] = {}
    first: dict[str, int] = {}
    notes: dict[str, dict[str, str]] = {}  # fields of hashes that are written once, by key
    ages: list[int] = []  # created_at of what was counted, ms
    heritages: list[tuple[Post, tuple[Membership, ...]]] = []  # what has something to inherit


def note(result: Result, campaign: str, post: Post) -> None:
    """An amplifier's post, once: it becomes an event."""
    hour = post.created_at // HOUR_MS
    key = _KEYS.amplified(hour)
    value = f"{post.created_at}{US}{post.followers or 0}{US}{post.kind}"
    result.notes.setdefault(key, {})[f"{campaign}{US}{post.uid}"] = value
    result.expire[key] = (hour + 1) * HOUR_MS + CAMPAIGN_KEEP_MS


def spread_tags(
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


def spread_campaigns(
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


def spread_delays(result: Result, by_delay: Mapping[tuple[str, int, int], int]) -> None:
    """Buckets have a time to go already: every post has a total."""
    for (name, bound, minute), n in by_delay.items():
        field = f"{name}{US}delay{US}{bound}"
        _add(result, _KEYS.campaign_bucket(60, minute), field, n)
        _add(result, _KEYS.campaign_bucket(3600, minute // 3600 * 3600), field, n)


def spread_authors(result: Result, authors: Mapping[tuple[str, int], set[str]]) -> None:
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
