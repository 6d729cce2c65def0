"""Counts worked out anew from the log, by the rules that each partition noted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from streams.classify import Classifier
from streams.keys import Layout
from streams.posts import Post, Unreadable, decode
from streams.posts.complete import with_language
from streams.reading import FUTURE_MS
from streams.redis_client import connect
from streams.store.reads import Reader
from streams.store.rules import Applied, applied
from tests.integration.pipeline import Pipeline


async def notes(pipeline: Pipeline) -> list[Applied]:
    redis = connect(pipeline.settings.redis, retries=3)
    try:
        return await applied(Reader(redis, Layout(pipeline.settings.redis.prefix)))
    finally:
        await redis.aclose()


async def truth(
    pipeline: Pipeline, found: Sequence[Applied], classifiers: Mapping[str, Classifier]
) -> tuple[dict[str, int], dict[str, Any]]:
    """Outcomes, and the campaign metoo's counts, worked out from the log and the notes alone.

    `classifiers` are by the revision of that campaign's file; all records are keyed.
    Partitions without notes are counted by the first note's rules.
    """
    horizon = pipeline.settings.dedupe.horizon * 1000
    outcomes = dict.fromkeys(("posts", "counted", "duplicates", "dead", "ignored", "late"), 0)
    members: dict[str, Counter[str]] = {name: Counter() for name in ("via", "kind", "stance")}
    newest: dict[int, int] = {}
    seen: set[str] = set()
    topic = pipeline.settings.kafka.topics.raw
    for record in await pipeline.records(topic):
        outcomes["posts"] += 1
        try:
            post = decode(record.value, None)
        except Unreadable:
            outcomes["dead"] += 1
            continue
        if not isinstance(post, Post):
            outcomes["ignored"] += 1
        elif post.created_at > record.timestamp + FUTURE_MS:
            outcomes["dead"] += 1
        elif post.created_at < newest.get(record.partition, 0) - horizon:
            outcomes["late"] += 1
        else:
            newest[record.partition] = max(newest.get(record.partition, 0), post.created_at)
            if post.uid in seen:
                outcomes["duplicates"] += 1
                continue
            seen.add(post.uid)
            outcomes["counted"] += 1
            own = [n for n in found if n.partition == f"{topic}:{record.partition}"]
            in_force = [n for n in own if n.offset <= record.offset] or found
            post = with_language(post) if post.lang == "und" else post
            rules = classifiers[in_force[-1].campaigns["metoo"]]
            for membership in rules.classify(post):
                members["via"][membership.via] += 1
                members["kind"][post.kind] += 1
                members["stance"][membership.stance] += 1
    total = members["via"].total()
    return outcomes, {"total": total, **{name: dict(n) for name, n in members.items()}}
