"""The increments of a batch, by key and field of Redis: the variable part of a commit.  Pure.

The loops over posts count in a few dictionaries with compound keys.  Here their distinct keys are
spread over Redis' hashes, from ten seconds to minutes to hours, so that each level sees only what
the one before it did not bring together.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple, TypeAlias

import msgspec

from streams.classify import Membership
from streams.kept import Kept
from streams.keys import US, GenerationKeys
from streams.posts import Post
from streams.reading import DeadLetter, Record
from streams.retention import (
    CAMPAIGN_KEEP_MS,
    HOUR_MS,
    MINUTE_AUTHORS_KEEP_MS,
    TAG_KEEP_MS,
    TEN_SECONDS_KEEP_MS,
)

#: Names without the partition: the commit puts its prefix before them.
_KEYS: Final = GenerationKeys("")
_MINUTE_MS: Final = 60_000
_TEN_MS: Final = 10_000

#: In place of a hashtag's newest post: its total never goes.
STAYS: Final = -1
#: Hashtag, platform, language, ten seconds since 1970.
TagCell: TypeAlias = tuple[str, str, str, int]


class Part(NamedTuple):
    """Posts of a campaign that are counted in the same fields."""

    membership: Membership
    platform: str
    kind: str
    lang: str
    country: str | None
    answered: str | None  # the root post, of a reply in its conversation

    def fields(self) -> list[str]:
        name = self.membership.campaign
        found = [
            f"{name}{US}total{US}",
            f"{name}{US}joint{US}{self.platform}{US}{self.kind}{US}{self.membership.via}",
            f"{name}{US}stance{US}{self.membership.stance}",
            f"{name}{US}lang{US}{self.lang}",
        ]
        if self.country is not None:
            found.append(f"{name}{US}country{US}{self.country}")
        if self.answered is not None:
            found.append(f"{name}{US}root{US}{self.answered}")
        return found


class Counted(NamedTuple):
    """A counted post for `posts.classified`."""

    record: Record
    post: Post
    campaigns: tuple[Membership, ...]
    author: str  # its digest in hex


class Result(msgspec.Struct):
    """What the second step adds up: the variable part of a commit."""

    outcomes: dict[tuple[str, str], int]
    seen: dict[str, list[str]]  # uids to remember, by set
    expire: dict[str, int]
    reasons: dict[str, int] = {}
    counted: list[Counted] = []
    incr: dict[str, dict[str, int]] = {}
    #: Of hashtags: newest post (ms; `STAYS` of the campaigns'), and the watermark before the first.
    tags: dict[str, tuple[int, int]] = {}
    hours: dict[tuple[str, int], int] = {}  # their posts by hour (since 1970)
    authors: dict[str, list[str]] = {}
    first: dict[str, int] = {}
    notes: dict[str, dict[str, str]] = {}  # fields of hashes that are written once, by key
    ages: list[int] = []  # created_at of what was counted, ms
    heritages: list[tuple[Post, tuple[Membership, ...]]] = []  # what has something to inherit
    kept: Kept | None = None  # for who reads posts

    def add_outcomes(self, platforms: Mapping[str, int], outcome: str) -> None:
        """Posts by platform that had an outcome."""
        for platform, n in platforms.items():
            if n:
                self.outcomes[platform, outcome] = n


def note(result: Result, campaign: str, post: Post) -> None:
    """An amplifier's post, once: it becomes an event."""
    hour = post.created_at // HOUR_MS
    key = _KEYS.amplified(hour)
    value = f"{post.created_at}{US}{post.followers or 0}{US}{post.kind}"
    result.notes.setdefault(key, {})[f"{campaign}{US}{post.uid}"] = value
    result.expire[key] = (hour + 1) * HOUR_MS + CAMPAIGN_KEEP_MS


def note_call(result: Result, campaign: str, post: Post) -> None:
    """An amplifier's post that is the call: who reads asks for the replies to it."""
    hour = post.created_at // HOUR_MS
    key = _KEYS.calls(hour)
    result.notes.setdefault(key, {})[f"{campaign}{US}{post.uid}"] = str(post.followers or 0)
    result.expire[key] = (hour + 1) * HOUR_MS + CAMPAIGN_KEEP_MS


def spread_records(result: Result, dead: Iterable[DeadLetter]) -> None:
    """Records by outcome, and dead letters by reason."""
    for letter in dead:
        result.reasons[letter.reason] = result.reasons.get(letter.reason, 0) + 1
    if result.reasons:
        result.incr[_KEYS.dead] = dict(result.reasons)
    result.incr[_KEYS.outcomes] = {
        f"{platform}{US}{outcome}": n for (platform, outcome), n in result.outcomes.items()
    }


def spread_tags(result: Result, cells: Mapping[TagCell, int], since: Mapping[str, int]) -> None:
    """Counts of hashtags; `since` has those outside the campaigns, see `Result.tags`."""
    minutes: dict[TagCell, int] = {}
    last: dict[str, int] = {}
    for (tag, platform, lang, ten), n in cells.items():
        fields = _bucket(result, 10, ten * _TEN_MS, TEN_SECONDS_KEEP_MS)
        fields[tag] = fields.get(tag, 0) + n
        cell = (tag, platform, lang, ten // 6)
        minutes[cell] = minutes.get(cell, 0) + n
        if ten > last.get(tag, -1):
            last[tag] = ten
    hours: dict[TagCell, int] = {}
    for (tag, platform, lang, minute), n in minutes.items():
        fields = _bucket(result, 60, minute * _MINUTE_MS, TAG_KEEP_MS)
        fields[tag] = fields.get(tag, 0) + n
        fields[f"{tag}{US}{platform}{US}{lang}"] = n
        cell = (tag, platform, lang, minute // 60)
        hours[cell] = hours.get(cell, 0) + n
    totals = result.incr.setdefault(_KEYS.tags, {}) if cells else {}
    for (tag, platform, lang, hour), n in hours.items():
        fields = _bucket(result, 3600, hour * HOUR_MS, TAG_KEEP_MS)
        fields[tag] = fields.get(tag, 0) + n
        fields[f"{tag}{US}{platform}{US}{lang}"] = n
        totals[tag] = totals.get(tag, 0) + n
        own = result.incr.setdefault(_KEYS.tag(tag), {})
        own[f"{platform}{US}{lang}"] = own.get(f"{platform}{US}{lang}", 0) + n
        if tag in since:
            result.hours[tag, hour] = result.hours.get((tag, hour), 0) + n
    for tag, began in since.items():
        result.tags[tag] = (last[tag] * _TEN_MS, began)


def spread_campaigns(result: Result, parts: Mapping[tuple[Part, int], int]) -> None:
    """Counts of campaigns, by part and ten seconds since 1970."""
    minutes: dict[tuple[Part, int], int] = {}
    for (part, ten), n in parts.items():
        fields = _campaign_bucket(result, 10, ten * _TEN_MS, TEN_SECONDS_KEEP_MS)
        total = f"{part.membership.campaign}{US}total{US}"
        fields[total] = fields.get(total, 0) + n
        minutes[part, ten // 6] = minutes.get((part, ten // 6), 0) + n
    hours: dict[tuple[Part, int], int] = {}
    names = {part: part.fields() for part, _ in minutes}
    for (part, minute), n in minutes.items():
        fields = _campaign_bucket(result, 60, minute * _MINUTE_MS, CAMPAIGN_KEEP_MS)
        _add_all(fields, names[part], n)
        hours[part, minute // 60] = hours.get((part, minute // 60), 0) + n
    for (part, hour), n in hours.items():
        fields = _campaign_bucket(result, 3600, hour * HOUR_MS, CAMPAIGN_KEEP_MS)
        _add_all(fields, names[part], n)
        _add_all(result.incr.setdefault(_KEYS.campaigns, {}), names[part], n)


def spread_replies(result: Result, replies: Mapping[tuple[str, str, int], int]) -> None:
    """Replies by campaign, the post that they answer, and hour of their own (since 1970).

    Whether that post is a call is for who reads to find out: it is in another partition.
    """
    for (name, parent, hour), n in replies.items():
        end = (hour + 1) * HOUR_MS
        _fields(result, _KEYS.replies(hour), end + TAG_KEEP_MS)[f"{name}{US}{parent}"] = n


def spread_firsts(result: Result, firsts: Mapping[tuple[str, str, str, str | None], int]) -> None:
    """ms of the first post by campaign, platform, language and country."""
    for (name, platform, lang, country), created in firsts.items():
        for dimension, value in (("platform", platform), ("lang", lang), ("country", country)):
            if value is not None:
                field = f"{name}{US}{dimension}{US}{value}"
                result.first[field] = min(created, result.first.get(field, created))


def spread_delays(result: Result, delays: Mapping[tuple[str, int, int], int]) -> None:
    """Buckets have a time to go already: every post has a total."""
    for (name, bound, minute), n in delays.items():
        field = [f"{name}{US}delay{US}{bound}"]
        hour = minute // 60
        _add_all(_campaign_bucket(result, 60, minute * _MINUTE_MS, CAMPAIGN_KEEP_MS), field, n)
        _add_all(_campaign_bucket(result, 3600, hour * HOUR_MS, CAMPAIGN_KEEP_MS), field, n)


def spread_authors(
    result: Result,
    family: str,
    authors: Mapping[tuple[str, int], Iterable[str]],
    *,
    total: bool = True,
) -> None:
    """Digests by name and minute (since 1970), into HyperLogLogs of minutes, hours and all time.

    `family`: c of campaigns, h of hashtags.
    """
    for (name, minute), digests in authors.items():
        subject = f"{family}{US}{name}"
        hour = minute // 60
        key = _KEYS.authors(60, minute * 60, subject)
        result.authors.setdefault(key, []).extend(digests)
        result.expire[key] = (minute + 1) * _MINUTE_MS + MINUTE_AUTHORS_KEEP_MS
        key = _KEYS.authors(3600, hour * 3600, subject)
        result.authors.setdefault(key, []).extend(digests)
        result.expire[key] = (hour + 1) * HOUR_MS + TAG_KEEP_MS
        if total:
            result.authors.setdefault(_KEYS.authors(0, 0, subject), []).extend(digests)


def _bucket(result: Result, step: int, start_ms: int, keep_ms: int) -> dict[str, int]:
    return _fields(result, _KEYS.bucket(step, start_ms // 1000), start_ms + step * 1000 + keep_ms)


def _campaign_bucket(result: Result, step: int, start_ms: int, keep_ms: int) -> dict[str, int]:
    key = _KEYS.campaign_bucket(step, start_ms // 1000)
    return _fields(result, key, start_ms + step * 1000 + keep_ms)


def _fields(result: Result, key: str, expire_ms: int) -> dict[str, int]:
    found = result.incr.get(key)
    if found is None:
        found = result.incr[key] = {}
        result.expire[key] = expire_ms
    return found


def _add_all(fields: dict[str, int], names: Iterable[str], n: int) -> None:
    for name in names:
        fields[name] = fields.get(name, 0) + n
