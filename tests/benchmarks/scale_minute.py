"""A minute of a day at 143,199 posts/s, one partition's share of it, through the pure parts.

    python -m tests.benchmarks.scale_minute [--rate 143199] [--seconds 60] [--measure]

decodes, classifies and counts the posts that one of the model's partitions gets in that time, and
compares the CPU with the capacity model's (`deploy/scale`); the status is 1 where they differ by
more than 20 %.  CPU is in units of `orjson.loads` of the same posts in the same run, so that the
comparison holds on a slower core and on a busy machine.  With `--measure` the figures are printed
as they belong into `figures.toml`, from a partition at a hundredth of the rate.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from itertools import islice
from typing import Final, NamedTuple

import orjson

from deploy.scale.model import figures, plan
from streams.aggregate import count, tag_hours
from streams.campaigns import load
from streams.classify import Classifier
from streams.reading import Rules, read
from tests.benchmarks.firehose import PAYLOADS, Firehose, Line
from tests.protocol.fakes import FakeRecord

BATCH: Final = 1_000
AHEAD: Final = 15_000  # posts that are made before they are measured
TOLERANCE: Final = 0.2
SHARE: Final = 0.05  # of the posts are the campaign's
RULES: Final = Rules(author_key=b"0123456789abcdef")


class Minute(NamedTuple):
    """CPU-microseconds a post; increments of Redis' hashes a post."""

    posts: int
    parse_us: float
    pure_us: float
    fields: float

    @property
    def per_parse(self) -> float:
        return self.pure_us / self.parse_us


def run(rate: float, seconds: float) -> Minute:
    """One partition's posts, batch by batch; parsing and the pure parts in turn."""
    posts = max(BATCH, int(rate * seconds))
    lines = iter(Firehose(PAYLOADS["compact-v2"], posts, share=SHARE, rate=rate))
    classifier = Classifier([load("metoo")])
    total = Minute(0, 0.0, 0.0, 0.0)
    watermark: int | None = None
    while records := [_record(*item) for item in enumerate(islice(lines, AHEAD), total.posts)]:
        parse = pure = 0.0
        fields = 0
        for first in range(0, len(records), BATCH):
            batch = records[first : first + BATCH]
            began = time.process_time()
            for record in batch:
                orjson.loads(record.value or b"")
            parsed = time.process_time()
            reading = read(batch, watermark=watermark, sources={}, rules=RULES)
            before = dict.fromkeys(tag_hours(reading.posts, {}, classifier), 0)
            result = count(reading, (), classifier=classifier, rules=RULES, before=before)
            pure += time.process_time() - parsed
            parse += parsed - began
            watermark = reading.watermark
            fields += sum(map(len, result.incr.values()))
        total = Minute(
            total.posts + len(records),
            total.parse_us + parse * 1e6,
            total.pure_us + pure * 1e6,
            total.fields + fields,
        )
    return Minute(total.posts, *(sum_ / total.posts for sum_ in total[1:]))


def _record(offset: int, line: Line) -> FakeRecord:
    return FakeRecord(offset, line.stamp + 5_000, line.key, line.value)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="A minute of the record day, and the model.")
    parser.add_argument("--rate", type=float, default=143_199.0, help="posts/s of all partitions")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--measure", action="store_true", help="print figures for figures.toml")
    given = parser.parse_args(arguments)
    model = figures()
    planned = plan(given.rate, model)
    share = given.rate / planned.partitions
    say = sys.stdout.write
    if given.measure:
        found = run(share / 100, given.seconds * 20)
        say(f"parse_us = {found.parse_us:.1f}\npure_per_parse = {found.per_parse:.2f}\n")
        return 0
    found = run(share, given.seconds)
    expected = model["worker"]["pure_per_parse"]
    off = found.per_parse / expected - 1
    say(
        f"one of {planned.partitions} partitions, {share:,.0f} posts/s for {given.seconds:.0f} s: "
        f"{found.posts:,} posts, {found.fields:.2f} increments a post\n"
        f"orjson.loads {found.parse_us:.2f} us, the pure parts {found.pure_us:.2f} us: "
        f"{found.per_parse:.2f} times as much; the model says {expected:.2f}: {off:+.0%}\n"
        f"the whole minute: {given.rate * given.seconds * found.pure_us / 1e6:,.0f} CPU-s here\n"
    )
    return int(abs(off) > TOLERANCE)


if __name__ == "__main__":
    raise SystemExit(main())
