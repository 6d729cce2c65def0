"""What the pure part of a batch costs: the loop as shipped, and the same work on columns.

    python -m tests.benchmarks.batch_work

prints CPU-microseconds a post for batches of 4,000 compact X v2 posts, 5 % of a campaign, the best
of five runs, and the ratio to `orjson.loads` alone in the same run.  The columns want Polars, which
is no dependency (`pip install polars`): without it that line is left out.
"""

from __future__ import annotations

import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, Final

import orjson

from streams.aggregate import count
from streams.campaigns import load
from streams.classify import Classifier
from streams.garbage import look_seldom
from streams.posts import decode
from streams.reading import Rules, read
from tests.protocol.fakes import START_MS, FakeRecord

POSTS: Final = 20_000
BATCH: Final = 4_000
RULES: Final = Rules(author_key=b"0123456789abcdef")

Batches = list[list[FakeRecord]]


def compact(number: int, dice: random.Random) -> bytes:
    """A compact X v2 post of about 650 bytes; half of them have a hashtag."""
    tag = None
    if dice.random() < 0.5:
        tag = "MeToo" if dice.random() < 0.1 else f"tag{int(dice.paretovariate(1.1))}"
    created = START_MS + number * 7
    moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(created // 1000))
    uid = str(919_000_000_000_000_000 + number * 4096)
    data = {
        "id": uid,
        "text": "x" * 120 + (f" #{tag}" if tag else ""),
        "author_id": str(dice.randrange(10**9)),
        "created_at": f"{moment}.{created % 1000:03}Z",
        "lang": dice.choice(["en", "en", "en", "es", "fr"]),
        "conversation_id": uid,
        "edit_history_tweet_ids": [uid],
        "possibly_sensitive": False,
        "public_metrics": dict.fromkeys(
            ("retweet_count", "reply_count", "like_count", "quote_count", "impression_count"), 0
        ),
        "reply_settings": "everyone",
        "context_annotations": [],
        "entities": {
            "hashtags": [{"start": 121, "end": 127, "tag": tag}] if tag else [],
            "urls": [],
        },
    }
    return orjson.dumps({"data": data, "matching_rules": [{"id": "1", "tag": "all"}]})


def cpu(work: Callable[[list[FakeRecord]], Any], batches: Batches) -> float:
    """CPU-microseconds a post, the best of five."""
    best = float("inf")
    for _ in range(5):
        began = time.process_time()
        for batch in batches:
            work(batch)
        best = min(best, time.process_time() - began)
    return best / POSTS * 1e6


def parse(batch: list[FakeRecord]) -> None:
    """Nothing is kept: as the ceiling of `make bench` does it."""
    for record in batch:
        orjson.loads(record.value)


def loop(classifier: Classifier) -> Callable[[list[FakeRecord]], Any]:
    """Decode, dedupe keys, classify, count: everything of a batch but Redis and Kafka."""

    def work(batch: list[FakeRecord]) -> Any:
        reading = read(batch, watermark=None, sources={}, rules=RULES)
        return count(reading, (), classifier=classifier, rules=RULES, before=Counter())

    return work


def columns() -> Callable[[list[FakeRecord]], Any] | None:
    """Parse and group by hashtag, language and 10 s with Polars; no dedupe keys, no campaign."""
    try:
        import polars as pl
    except ImportError:
        return None
    tags = pl.List(pl.Struct({"tag": pl.String}))
    fields = dict.fromkeys(("id", "text", "author_id", "created_at", "lang"), pl.String)
    schema = {"data": pl.Struct({**fields, "entities": pl.Struct({"hashtags": tags})})}

    def work(batch: list[FakeRecord]) -> Any:
        lines = b"\n".join([record.value or b"" for record in batch])
        frame = pl.read_ndjson(lines, schema=schema).unnest("data")
        frame = frame.with_columns(
            pl.col("created_at").str.to_datetime("%Y-%m-%dT%H:%M:%S%.fZ", time_unit="ms"),
            pl.col("entities").struct.field("hashtags"),
        )
        exploded = frame.explode("hashtags").drop_nulls("hashtags")
        tag = pl.col("hashtags").struct.field("tag").str.to_lowercase()
        grouped = exploded.group_by([tag, "lang", pl.col("created_at").dt.truncate("10s")]).len()
        return grouped.rows(), frame["id"].to_list()

    return work


def main() -> None:
    dice = random.Random(1)
    values = [compact(number, dice) for number in range(POSTS)]
    records = [FakeRecord(i, START_MS + 10**7, b"k", value) for i, value in enumerate(values)]
    batches = [records[i : i + BATCH] for i in range(0, POSTS, BATCH)]
    classifier = Classifier([load("metoo")])
    look_seldom()
    works: Sequence[tuple[str, Callable[[list[FakeRecord]], Any] | None]] = (
        ("orjson.loads", parse),
        ("decode", lambda batch: [decode(record.value) for record in batch]),
        ("loop: decode, dedupe keys, classify, count", loop(classifier)),
        ("columns: parse, hashtags, group by", columns()),
    )
    ceiling = None
    for name, work in works:
        if work is not None:
            took = cpu(work, batches)
            ceiling = ceiling or took
            sys.stdout.write(f"{name:45} {took:6.2f} us  {took / ceiling:5.2f} x\n")


if __name__ == "__main__":
    main()
