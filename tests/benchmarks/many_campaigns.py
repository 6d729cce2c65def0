"""What two hundred campaigns cost beside one: the whole pure path of a batch.

    python -m tests.benchmarks.many_campaigns [--campaigns 200] [--posts 12000] [--runs 5]

prints CPU-microseconds a post with one campaign and with many, and their ratio (wanted: 1.5 at
most), for a firehose (5 % of the posts are the first campaign's), a filtered stream (100 %), and
posts that are spread evenly over all campaigns, beside the same posts in one campaign that has all
their hashtags.  Each post is decoded, classified and counted up to Redis' increments; both sides
run in turn, and the best run of each counts.  `fields` are increments of Redis' hashes a post.
"""

from __future__ import annotations

import argparse
import gc
import sys
import time
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import orjson

from streams.aggregate import count, tag_hours
from streams.campaigns import Campaign, load
from streams.classify import Classifier
from streams.posts import Post, decode
from streams.reading import Reading, Rules, read
from tests.benchmarks.campaigns import many, merged
from tests.benchmarks.firehose import PAYLOADS, Firehose
from tests.protocol.fakes import FakeRecord

BATCH: Final = 1_000
WANTED: Final = 1.5
RULES: Final = Rules(author_key=b"0123456789abcdef")


class Cost(NamedTuple):
    """CPU-microseconds a post, and increments of Redis a post."""

    classify: float
    path: float
    fields: float


def records(share: float, posts: int) -> list[FakeRecord]:
    """A stream of compact X v2 posts, `share` (0-1) of them `metoo`'s."""
    lines = Firehose(PAYLOADS["compact-v2"], posts, share=share)
    return [
        FakeRecord(offset, line.stamp + 5_000, line.key, line.value)
        for offset, line in enumerate(lines)
    ]


def spread(found: Sequence[FakeRecord], campaigns: Sequence[Campaign]) -> list[FakeRecord]:
    """The same posts, each with a hashtag of one campaign after the other."""
    tags = [campaign.all_hashtags[0] for campaign in campaigns]
    for at, record in enumerate(found):
        value: Any = orjson.loads(record.value or b"")
        tag = tags[at * 7919 % len(tags)]
        value["data"]["entities"] = {"hashtags": [{"start": 0, "end": 1, "tag": tag}]}
        record.value = orjson.dumps(value)
    return list(found)


def once(batches: Sequence[Sequence[FakeRecord]], campaigns: Sequence[Campaign]) -> Cost:
    """One run, from a classifier that remembers nothing."""
    posts = sum(map(len, batches))
    classifier = Classifier(campaigns)
    decoded = [[p for r in batch if isinstance(p := decode(r.value), Post)] for batch in batches]
    gc.collect()
    gc.freeze()  # as a worker does
    began = time.process_time()
    for batch in decoded:
        for index in classifier.may_belong(batch):
            classifier.classify(batch[index])
    classified = time.process_time() - began
    del decoded
    classifier = Classifier(campaigns)
    fields = 0
    watermark = None
    gc.collect()
    gc.freeze()
    began = time.process_time()
    for batch in batches:
        reading: Reading = read(batch, watermark=watermark, sources={}, rules=RULES)
        result = count(
            reading,
            [False] * len(reading.posts),
            classifier=classifier,
            rules=RULES,
            before=dict.fromkeys(tag_hours(reading.posts, {}, classifier), 0),
        )
        watermark = reading.watermark
        fields += sum(map(len, result.incr.values()))
    path = time.process_time() - began
    gc.unfreeze()
    return Cost(classified / posts * 1e6, path / posts * 1e6, fields / posts)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="What many campaigns cost beside one.")
    parser.add_argument("--campaigns", type=int, default=200)
    parser.add_argument("--posts", type=int, default=12_000)
    parser.add_argument("--runs", type=int, default=5)
    given = parser.parse_args(arguments)
    began = time.process_time()
    every = many(given.campaigns)
    Classifier(every)
    say = sys.stdout.write
    say(f"{given.campaigns} campaigns compiled in {time.process_time() - began:.1f} s of CPU\n")
    say(f"{'us of CPU a post':22}{'one':>9}{'many':>9}{'ratio':>8}   classify: one     many\n")
    worst = 0.0
    filtered = records(1.0, given.posts)
    for name, found, one in (
        ("firehose, 5 %", records(0.05, given.posts), [load("metoo")]),
        ("filtered, 100 %", filtered, [load("metoo")]),
        ("spread over all", spread(records(0.0, given.posts), every), [merged(every)]),
    ):
        batches = [found[first : first + BATCH] for first in range(0, len(found), BATCH)]
        runs = [(once(batches, one), once(batches, every)) for _ in range(given.runs)]
        single = Cost(*map(min, zip(*(run[0] for run in runs), strict=True)))
        both = Cost(*map(min, zip(*(run[1] for run in runs), strict=True)))
        ratio = both.path / single.path
        worst = max(worst, ratio)
        say(
            f"{name:22}{single.path:9.2f}{both.path:9.2f}{ratio:8.2f}"
            f"{single.classify:16.2f}{both.classify:9.2f}"
            f"   fields {single.fields:.2f}, {both.fields:.2f}\n"
        )
    say(f"worst {worst:.2f} (wanted: {WANTED} at most)\n")
    return int(worst > WANTED)


if __name__ == "__main__":
    raise SystemExit(main())
