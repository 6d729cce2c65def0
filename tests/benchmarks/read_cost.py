"""What reading a post costs, by stage and platform.

    python -m tests.benchmarks.read_cost [--posts 20000]

prints CPU-microseconds a post in batches of 1,000, the best of five runs: `orjson.loads` for
comparison, decode, the language and country that a platform leaves out, classify; for a firehose
(5 % of the posts belong to a campaign) and for a filtered stream (all do).
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

import orjson

from streams.campaigns import load
from streams.classify import Classifier
from streams.garbage import look_seldom
from streams.posts import Post, decode
from streams.posts.complete import with_country, with_language
from tests.benchmarks.fediverse import facebook, mastodon
from tests.benchmarks.firehose import PAYLOADS, Firehose, Payload

BATCH: Final = 1_000
RUNS: Final = 5
PLATFORMS: Final = (
    PAYLOADS["compact-v2"],
    PAYLOADS["v1.1"],
    PAYLOADS["jetstream"],
    Payload("mastodon", "mastodon", mastodon),
    Payload("facebook", "facebook", facebook),
)


def best(work: Callable[[], object], posts: int) -> float:
    """CPU-microseconds a post, of the best run."""
    times = []
    for _ in range(RUNS):
        began = time.process_time()
        work()
        times.append(time.process_time() - began)
    return min(times) / posts * 1e6


def _members(classifier: Classifier, posts: Sequence[Post]) -> None:
    """As `streams.aggregate` does it: only what may belong is looked at one by one."""
    for index in sorted(classifier.may_belong(posts)):
        if classifier.classify(posts[index]):
            with_country(posts[index])


def parse(values: Sequence[bytes]) -> None:
    """One by one, and nothing is kept: as the ceiling of `make bench` does it."""
    for value in values:
        orjson.loads(value)


def each(work: Callable[[Sequence[Any]], object], batches: Sequence[Sequence[Any]]) -> None:
    """What comes of a batch goes before the next one."""
    for batch in batches:
        work(batch)


def stages(values: Sequence[bytes]) -> dict[str, float]:
    """Microseconds a post by stage."""
    batches = [values[first : first + BATCH] for first in range(0, len(values), BATCH)]
    decoded = [[post for v in batch if isinstance(post := decode(v), Post)] for batch in batches]
    completed = [[with_language(post) for post in batch] for batch in decoded]
    classifiers = iter([Classifier([load("metoo")]) for _ in range(2 * RUNS)])

    def classify() -> None:
        classifier = next(classifiers)  # remembers nothing yet
        for batch in completed:
            _members(classifier, batch)

    def everything() -> None:
        classifier = next(classifiers)
        for batch in batches:
            posts = [with_language(p) for v in batch if isinstance(p := decode(v), Post)]
            _members(classifier, posts)

    size = len(values)
    return {
        "orjson.loads": best(lambda: parse(values), size),
        "decode": best(lambda: each(lambda b: [decode(v) for v in b], batches), size),
        "language": best(lambda: each(lambda b: [with_language(p) for p in b], decoded), size),
        "classify": best(classify, size),
        "all": best(everything, size),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="What reading a post costs.")
    parser.add_argument("--posts", type=int, default=20_000, help="posts of each kind")
    given = parser.parse_args()
    look_seldom()
    names = ("bytes", "orjson.loads", "decode", "language", "classify", "all", "all/orjson")
    sys.stdout.write(f"{'us of CPU a post':<22}" + "".join(f"{n:>13}" for n in names) + "\n")
    for share in (0.05, 1.0):
        for payload in PLATFORMS:
            values = [line.value for line in Firehose(payload, given.posts, share=share)]
            found = stages(values)
            mean = sum(map(len, values)) / len(values)
            ratio = found["all"] / found["orjson.loads"]
            row = f"{payload.name + f' {share:.0%}':<22}{mean:>13.0f}"
            row += "".join(f"{found[name]:>13.2f}" for name in names[1:-1]) + f"{ratio:>13.2f}"
            sys.stdout.write(row + "\n")


if __name__ == "__main__":
    main()
