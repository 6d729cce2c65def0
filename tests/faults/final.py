"""The end of a fault run: everything against everything."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from redis.asyncio import Redis

from streams.counts import total_document
from streams.demo.compare import compare
from streams.keys import Layout
from streams.store.reads import Reader
from tests.faults import judge as witness
from tests.faults.feed import Feed
from tests.faults.judge import Record, Verdict
from tests.faults.reference import reference
from tests.faults.stage import HORIZONS, Stage

#: A HyperLogLog's standard error is 0.81 %; five of them.
_AUTHORS_ERROR: Final = 0.0405


def judge(stage: Stage, feed: Feed) -> Verdict:
    """What was lost, counted twice or is otherwise wrong, once all is counted."""
    kafka, bootstrap = stage.settings.kafka, stage.kafka.bootstrap
    for worker in stage.workers:
        worker.child.stop()
    counted = asyncio.run(_document(stage.redis.server.url, stage.settings.redis.prefix))
    log = witness.records(kafka, bootstrap, stage.counted_topic)
    horizon = stage.settings.dedupe.horizon
    wrong = _against_log(counted, log, int(horizon * 1000), feed)
    if horizon == HORIZONS[0]:
        wrong += _against_simulation(counted, feed)
    parts = []
    with reference(stage.settings, bootstrap, stage.counted_topic, stage.folder) as (quiet, other):
        with stage.redis.admin() as redis:
            prefix = stage.settings.redis.prefix
            ours, theirs = witness.snapshot(redis, prefix), witness.snapshot(quiet, prefix)
        parts.append(witness.compare_keys(ours, theirs))
        for output in ("dead", "classified"):
            pair = [
                witness.written(witness.records(kafka, bootstrap, getattr(topics, output)))
                for topics in (kafka.topics, other.kafka.topics)
            ]
            parts.append(witness.compare_written(f"posts.{output}", *pair))
            if output == "dead":
                wrong += _byte_for_byte(
                    pair[0], witness.records(kafka, bootstrap, kafka.topics.raw)
                )
        wrong += _authors(ours, feed)
    return Verdict(
        lost=max(part.lost for part in parts),
        twice=max(part.twice for part in parts),
        wrong=wrong + [line for part in parts for line in part.wrong],
    )


async def _document(url: str, prefix: str) -> dict[str, Any]:
    redis = Redis.from_url(url)
    try:
        return await total_document(Reader(redis, Layout(prefix)))
    finally:
        await redis.aclose()


def _against_simulation(counted: dict[str, Any], feed: Feed) -> list[str]:
    """Totals; what was fed beside the simulation shows as records that count nothing."""
    true = feed.truth
    wrong = []
    if counted["posts"] != true["posts"] + feed.extra:
        wrong.append(f"{counted['posts']} records are counted of {true['posts'] + feed.extra}")
    ours, theirs = _judged(counted), _judged(true)
    wrong += [
        f"{row.group} {row.name}: counted {row.counted}, the simulation wrote {row.true}"
        for row in compare(ours, theirs)
        if row.difference
    ]
    return wrong


def _judged(document: dict[str, Any]) -> dict[str, Any]:
    """Less what redelivered posts and poison add to, and less stances: which one a text has is a
    judgement, and the quiet run's is compared instead."""
    campaigns = {
        name: {**counts, "stance": {"any": sum(counts["stance"].values())}}
        for name, counts in document["campaigns"].items()
    }
    same = {name: document[name] for name in ("counted", "hashtags")}
    return {**same, "campaigns": campaigns}


def _against_log(
    counted: dict[str, Any], log: list[Record], horizon_ms: int, feed: Feed
) -> list[str]:
    true = witness.fold(log, horizon_ms)
    names = {"counted": "counted", "duplicates": "duplicate", "dead": "dead", "ignored": "ignored"}
    names["late"] = "late"
    wrong = [
        f"{name}: {counted[name]}, the log says {true[outcome]}"
        for name, outcome in names.items()
        if counted[name] != true[outcome]
    ]
    # The simulation knows of no shorter horizon than the one that ships.
    all_of_it = witness.fold(log, int(HORIZONS[0] * 1000))["counted"]
    if all_of_it != feed.truth["counted"]:
        wrong.append(f"the log holds {all_of_it} posts of {feed.truth['counted']} that were meant")
    if true.total() != feed.fed:
        wrong.append(f"the log holds {true.total()} records of {feed.fed}")
    return wrong


def _byte_for_byte(dead: dict[tuple[str, str], tuple[Any, ...]], raw: list[Record]) -> list[str]:
    sources = {(str(r.partition), str(r.offset)): (r.key, r.value) for r in raw}
    changed = [source for source, letter in dead.items() if sources.get(source) != letter[:2]]
    return [f"posts.dead: {len(changed)} are not what was sent, as {changed[0]}"] if changed else []


def _authors(keys: dict[str, Any], feed: Feed) -> list[str]:
    """Each partition's estimate of all time; a person posts in several, so their sum is no less."""
    found = sum(v[b"authors"] for k, v in keys.items() if k.endswith(":u:0:0:c\x1fmetoo"))
    true = feed.authors("metoo")
    if found < true * (1 - _AUTHORS_ERROR):
        return [f"unique authors: {found} of {true}"]
    return []
