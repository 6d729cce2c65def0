"""What of a batch is new -> increments.  Pure: no Kafka, no Redis, no clock.

The second of a batch's two steps, because dedupe asks Redis in between: `streams.reading` decodes
the records, Redis says which uids it knows, and `count` adds the rest up.

A tight loop over posts adds to a few dictionaries with compound keys; `streams.increments` spreads
their distinct keys (hundreds a batch, not thousands) over Redis' hashes.  Columns (Polars) were
measured beside it, see `deploy/adr/0001-batch-loop.md`.
"""

from __future__ import annotations

from collections.abc import Iterable, Set
from typing import Final

from streams.classify import Classifier, Membership
from streams.increments import (
    Counted,
    Result,
    note,
    spread_authors,
    spread_campaigns,
    spread_delays,
    spread_tags,
)
from streams.inheritance import NOTHING, PLATFORMS, Inherited, inherit, leaves_something
from streams.keys import US, GenerationKeys
from streams.posts import Post
from streams.posts.birth import born_ms
from streams.posts.complete import with_closed_hashtags, with_country, with_language
from streams.posts.output import hash_author
from streams.reading import Reading, Rules
from streams.spread.measures import generation_bound

_NEVER: Final = 1 << 62
#: Names without the partition: the commit puts its prefix before them.
_KEYS: Final = GenerationKeys("")


def count(
    reading: Reading,
    known: Iterable[bool],
    *,
    classifier: Classifier,
    rules: Rules,
    hot: Set[tuple[str, int]] = frozenset(),
    inherited: Inherited = NOTHING,
) -> Result:
    """Add up the candidates that neither Redis (`known`, one flag a candidate in the order of
    `reading.groups`) nor an earlier record of the batch has counted.

    `hot` holds the (hashtag, hour in s) pairs whose authors are wanted; `inherited` what candidates
    have from posts of other records.
    """
    fresh, seen = _fresh(reading, known)
    is_campaign_tag = classifier.is_campaign_tag
    is_amplifier = classifier.amplifiers.has
    closed = rules.closed_hashtags
    by_tag: dict[tuple[str, str, str, int], int] = {}
    by_campaign: dict[tuple[Membership, str, str, str, str | None, str | None, int], int] = {}
    by_delay: dict[tuple[str, int, int], int] = {}
    since: dict[str, int] = {}
    authors: dict[tuple[str, int], set[str]] = {}
    hot_authors: dict[tuple[str, int], list[tuple[str, int]]] = {}
    outcomes = dict(reading.outcomes)
    result = Result(outcomes, expire=dict(reading.expire), seen=seen)
    first = result.first
    for letter in reading.dead:
        result.reasons[letter.reason] = result.reasons.get(letter.reason, 0) + 1
    for index, (record, read_post) in enumerate(reading.candidates):
        post = read_post if read_post.lang != "und" else with_language(read_post)
        if post.platform in closed:
            post = with_closed_hashtags(post)
        if not fresh[index]:
            key = (post.platform, "duplicate")
            outcomes[key] = outcomes.get(key, 0) + 1
            continue
        key = (post.platform, "counted")
        outcomes[key] = outcomes.get(key, 0) + 1
        created = post.created_at
        result.ages.append(created)
        ten = created // 10_000 * 10
        if index in inherited:
            post, campaigns = inherit(post, inherited[index], classifier)
        else:
            campaigns = classifier.classify(post)
        digest = ""
        if campaigns and post.location is not None:
            post = with_country(post)
        if post.platform in PLATFORMS and leaves_something(post, campaigns):
            result.heritages.append((post, campaigns))
        if campaigns or rules.publish_all:
            result.counted.append(Counted(record, post, campaigns))
        if campaigns:
            digest = _author(rules, post)
            minute = ten // 60 * 60
            delay = _delay(post)
            for membership in campaigns:
                if delay is not None:
                    reaction = (membership.campaign, delay, minute)
                    by_delay[reaction] = by_delay.get(reaction, 0) + 1
                if is_amplifier(membership.campaign, post):
                    note(result, membership.campaign, post)
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
    spread_tags(result, by_tag, since, hot_authors, hot)
    spread_campaigns(result, by_campaign)
    spread_delays(result, by_delay)
    spread_authors(result, authors)
    for (platform, outcome), n in outcomes.items():
        result.incr.setdefault(_KEYS.outcomes, {})[f"{platform}{US}{outcome}"] = n
    if result.reasons:
        result.incr[_KEYS.dead] = dict(result.reasons)
    return result


def _author(rules: Rules, post: Post) -> str:
    """The author's digest in hex: Redis' MessagePack reads strings, but no binary."""
    return hash_author(rules.author_key, post.platform, post.author_id).hex()


def _delay(post: Post) -> int | None:
    """How long after its parent a repost or reply came: seconds, one of `GENERATION_BOUNDS`."""
    if post.parent is None or post.kind == "quote":
        return None
    born = born_ms(post.parent)
    return None if born is None else generation_bound((post.created_at - born) / 1000)


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
