"""What of a batch is new -> increments.  Pure: no Kafka, no Redis, no clock.

The second of a batch's two steps, because dedupe asks Redis in between: `streams.reading` decodes
the records, Redis says which uids it knows, and `count` adds the rest up.

Most posts of a firehose belong to no campaign: all that is done with them here is to count their
hashtags.  Tight loops add to a few dictionaries with compound keys; `streams.increments` spreads
their distinct keys (hundreds a batch, not thousands) over Redis' hashes.  Columns (Polars) were
measured beside it, see `deploy/adr/0001-batch-loop.md`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

import msgspec

from streams.classify import Classifier, Membership
from streams.increments import (
    STAYS,
    Counted,
    Part,
    Result,
    TagCell,
    note,
    note_call,
    spread_authors,
    spread_campaigns,
    spread_delays,
    spread_firsts,
    spread_records,
    spread_replies,
    spread_tags,
)
from streams.inheritance import NOTHING, PLATFORMS, Inherited, inherit, leaves_something
from streams.kept import keep
from streams.posts import Post
from streams.posts.birth import born_ms
from streams.posts.complete import with_country
from streams.posts.output import hash_author
from streams.reading import Reading, Rules
from streams.retention import HOT_POSTS, HOUR_MS
from streams.spread.measures import generation_bound

#: Posts of an hour that a partition has counted, by hashtag and hour (hours since 1970).
TagHours = Mapping[tuple[str, int], int]
_NEVER: Final = 1 << 62


class _Campaigns(msgspec.Struct):
    """What the posts of campaigns add up to."""

    parts: dict[tuple[Part, int], int] = {}  # the number is ten seconds since 1970
    delays: dict[tuple[str, int, int], int] = {}  # campaign, bound (s), minutes since 1970
    firsts: dict[tuple[str, str, str, str | None], int] = {}
    replies: dict[tuple[str, str, int], int] = {}  # campaign, parent, hours since 1970
    #: Digests by campaign or campaign's hashtag, and minutes since 1970.
    authors: dict[tuple[str, int], set[str]] = {}
    tag_authors: dict[tuple[str, int], set[str]] = {}


def count(
    reading: Reading,
    known: Collection[int],
    *,
    classifier: Classifier,
    rules: Rules,
    before: TagHours,
    inherited: Inherited = NOTHING,
) -> Result:
    """Add up the candidates that were not counted before (`known` were), nor by an earlier record
    of the batch.

    `before` holds what was counted of the `tag_hours` of the batch; `inherited` what candidates
    have from posts of other records.
    """
    repeated, seen = _repeated(reading, known)
    posts, marks = list(reading.posts), reading.watermarks
    result = Result(dict(reading.outcomes), expire=dict(reading.expire), seen=seen)
    may_belong = classifier.may_belong(posts)
    looked_at = range(len(posts)) if rules.publish_all else sorted({*may_belong, *inherited})
    campaigns = _Campaigns()
    members_of: dict[int, tuple[Membership, ...]] = {}
    for index in looked_at:
        if index in repeated:
            continue
        post = posts[index]
        members: tuple[Membership, ...] = ()
        if index in inherited:
            post, members = inherit(post, inherited[index], classifier)
        elif index in may_belong:
            members = classifier.classify(post)
        if members:
            post = with_country(post)
            members_of[index] = members
        posts[index] = post
        if members or rules.publish_all:
            author = _author(rules, post)
            result.counted.append(Counted(reading.records[index], post, members, author))
            _add_members(campaigns, result, classifier, post, members, author)
    platforms = Counter([post.platform for post in posts])
    if not PLATFORMS.isdisjoint(platforms):
        result.heritages = [
            (post, members_of.get(index, ()))
            for index, post in enumerate(posts)
            if index not in repeated and leaves_something(post, members_of.get(index, ()))
        ]
    if repeated:
        again = Counter(posts[index].platform for index in repeated)
        platforms -= again
        result.add_outcomes(again, "duplicate")
        posts = [post for index, post in enumerate(posts) if index not in repeated]
        marks = [mark for index, mark in enumerate(marks) if index not in repeated]
    result.add_outcomes(platforms, "counted")
    result.ages = [post.created_at for post in posts]
    _count_tags(result, posts, marks, classifier, rules, before)
    spread_campaigns(result, campaigns.parts)
    spread_firsts(result, campaigns.firsts)
    spread_delays(result, campaigns.delays)
    spread_replies(result, campaigns.replies)
    spread_authors(result, "c", campaigns.authors)
    spread_authors(result, "h", campaigns.tag_authors)
    spread_records(result, reading.dead)
    result.kept = keep(
        result.counted,
        first=reading.first,
        watermark=reading.watermark,
        keeping=rules.keeping,
        is_campaign_tag=classifier.is_campaign_tag,
    )
    return result


def tag_hours(
    posts: Sequence[Post], inherited: Inherited, classifier: Classifier
) -> set[tuple[str, int]]:
    """Hashtags outside the campaigns, and hours (since 1970), whose counts `count` has to know."""
    found = {(tag, post.created_at // HOUR_MS) for post in posts for tag in post.hashtags}
    for index, heritage in inherited.items():
        found |= {(tag, posts[index].created_at // HOUR_MS) for tag in heritage.hashtags}
    return {pair for pair in found if not classifier.is_campaign_tag(pair[0])}


def _repeated(reading: Reading, known: Collection[int]) -> tuple[set[int], dict[str, list[str]]]:
    """Candidates that Redis or the batch knows already; new uids by seen-set."""
    repeated: set[int] = set()
    members = reading.members
    seen: dict[str, list[str]] = {}
    for group, indices in reading.groups.items():
        batch: dict[str, None] = {}
        for index in indices:
            member = members[index]
            if index in known or member in batch:
                repeated.add(index)
            else:
                batch[member] = None
        if batch:
            seen[group] = list(batch)
    return repeated, seen


def _add_members(
    to: _Campaigns,
    result: Result,
    classifier: Classifier,
    post: Post,
    members: tuple[Membership, ...],
    author: str,
) -> None:
    """One post of one or more campaigns."""
    created = post.created_at
    ten = created // 10_000
    minute = ten // 6
    delay = _delay(post)
    platform, lang, country = post.platform, post.lang, post.country
    for membership in members:
        name = membership.campaign
        answered = classifier.answered(name, post)
        part = (Part(membership, platform, post.kind, lang, country, answered), ten)
        to.parts[part] = to.parts.get(part, 0) + 1
        if delay is not None:
            reaction = (name, delay, minute)
            to.delays[reaction] = to.delays.get(reaction, 0) + 1
        if classifier.amplifiers.has(name, post):
            note(result, name, post)
            if post.kind != "repost" and "call" in (membership.via, membership.stance):
                note_call(result, name, post)
        if post.kind == "reply" and post.parent is not None:
            answer = (name, post.parent, created // HOUR_MS)
            to.replies[answer] = to.replies.get(answer, 0) + 1
        _to_set(to.authors, (name, minute), author)
        place = (name, platform, lang, country)
        if created < to.firsts.get(place, _NEVER):
            to.firsts[place] = created
    for tag in post.hashtags:
        if classifier.is_campaign_tag(tag):
            _to_set(to.tag_authors, (tag, minute), author)


def _to_set(to: dict[tuple[str, int], set[str]], key: tuple[str, int], value: str) -> None:
    found = to.get(key)
    if found is None:
        to[key] = {value}
    else:
        found.add(value)


def _count_tags(
    result: Result,
    posts: list[Post],
    marks: Iterable[int],
    classifier: Classifier,
    rules: Rules,
    before: TagHours,
) -> None:
    cells: dict[TagCell, int] = {}
    since: dict[str, int] = {}  # the watermark before a tag's first post
    for post, mark in zip(posts, marks, strict=True):
        for tag in post.hashtags:
            cell = (tag, post.platform, post.lang, post.created_at // 10_000)
            if cell in cells:
                cells[cell] += 1
            else:
                cells[cell] = 1
                if tag not in since:
                    since[tag] = mark
    own = [tag for tag in since if classifier.is_campaign_tag(tag)]
    result.tags = {tag: (STAYS, since.pop(tag)) for tag in own}
    spread_tags(result, cells, since)
    # Authors of other hashtags are counted from the `HOT_POSTS`-th post of an hour on.
    hot = {
        pair: HOT_POSTS - before[pair]
        for pair, n in result.hours.items()
        if before[pair] + n >= HOT_POSTS
    }
    if hot:
        spread_authors(result, "h", _hot_authors(posts, hot, rules), total=False)


def _hot_authors(
    posts: Iterable[Post], hot: Mapping[tuple[str, int], int], rules: Rules
) -> dict[tuple[str, int], set[str]]:
    """Digests by hashtag and minute (since 1970) of the posts that count from the given number (1:
    the batch's first of that hashtag and hour) on."""
    names = {tag for tag, _ in hot}
    passed: dict[tuple[str, int], int] = {}
    authors: dict[tuple[str, int], set[str]] = {}
    for post in posts:
        if post.hashtags and not names.isdisjoint(post.hashtags):
            for tag in post.hashtags:
                pair = (tag, post.created_at // HOUR_MS)
                if pair in hot:
                    n = passed[pair] = passed.get(pair, 0) + 1
                    if n >= hot[pair]:
                        minute = post.created_at // 60_000
                        _to_set(authors, (tag, minute), _author(rules, post))
    return authors


def _author(rules: Rules, post: Post) -> str:
    """The author's digest in hex: Redis' MessagePack reads strings, but no binary."""
    return hash_author(rules.author_key, post.platform, post.author_id).hex()


def _delay(post: Post) -> int | None:
    """How long after its parent a repost or reply came: seconds, one of `GENERATION_BOUNDS`."""
    if post.parent is None or post.kind == "quote":
        return None
    born = born_ms(post.parent)
    return None if born is None else generation_bound((post.created_at - born) / 1000)
