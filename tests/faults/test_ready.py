"""What `/readyz` and metrics say while Redis or Kafka cannot be used, and that a worker goes on.

Slow (a few seconds each, and a quiet run at the end): the faults are real.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest

from streams.kafka import ensure_topics
from tests.faults import on_kafka, on_network, on_redis
from tests.faults.fault import FAULTS
from tests.faults.feed import Feed
from tests.faults.final import judge
from tests.faults.judge import Verdict
from tests.faults.run import Run
from tests.faults.stage import HORIZONS, Progress, Stage

__all__ = ["on_kafka", "on_network", "on_redis"]

pytestmark = pytest.mark.slow
POSTS = 4000
_PATIENCE = 60.0  # seconds, until a worker has said so, or goes on


class Scenery(NamedTuple):
    stage: Stage
    feed: Feed
    run: Run


@pytest.fixture(scope="module")
def scenery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scenery]:
    folder = tmp_path_factory.mktemp("ready")
    with Stage(folder, mode="keyed", partitions=4, workers=1, horizon=HORIZONS[0]) as stage:
        kafka, bootstrap = stage.settings.kafka, stage.kafka.bootstrap
        direct = kafka.model_copy(update={"brokers": (bootstrap,)})
        asyncio.run(ensure_topics(direct))
        with Feed(kafka, posts=POSTS, seed=3, keyed=True, bootstrap=bootstrap) as feed:
            stage.start_workers()
            with Progress(stage, lambda: feed.fed) as progress:
                yield Scenery(stage, feed, Run(stage, feed, progress))


def until(holds: Callable[[], bool], what: str, says: Callable[[], str]) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not holds():
        assert time.monotonic() < deadline, f"{what}; /readyz: {says()!r}"
        time.sleep(0.1)


@pytest.mark.parametrize(
    ("name", "fed", "says"),
    [
        ("Redis connections stalled", 200, ("Redis does not answer: TimeoutError",)),
        ("Redis connections cut", 0, ("Redis does not answer: ConnectionError",)),
        ("Redis at its memory limit", 200, ("a batch is uncommitted for", "OutOfMemoryError")),
        ("Redis read-only", 200, ("a batch is uncommitted for", "ReadOnlyError")),
        ("Redis read-only", 0, ("the watchdog waits for", "ReadOnlyError")),
        ("Redis loading", 0, ("Redis does not answer: BusyLoadingError",)),
        ("Redis refuses the password", 200, ("Redis does not answer: AuthenticationError",)),
        ("Redis' disk full", 200, ("a batch is uncommitted for", "MISCONF")),
        ("posts.dead not writable", 400, ("is uncommitted for", "MessageSizeTooLargeError")),
        ("Kafka connections stalled", 200, ("Kafka does not answer",)),
        ("Kafka connections cut", 0, ("Kafka does not answer",)),
    ],
)
def test_a_worker_says_what_it_waits_for_and_goes_on(
    scenery: Scenery, name: str, fed: int, says: tuple[str, ...]
) -> None:
    if not FAULTS[name].possible():
        pytest.skip("needs redis-server 7 on the PATH")
    stage, feed, run = scenery
    (worker,) = stage.workers
    run.drain()
    until(lambda: not worker.unready(), "not ready before", worker.unready)
    retries = worker.metric("streams_retries_total")
    fault = FAULTS[name]()
    fault.inject(stage, random.Random(5))
    try:
        if fed:
            feed.begin(fed, 0.0)
        until(lambda: all(part in worker.unready() for part in says), name, worker.unready)
        until(
            lambda: worker.metric("streams_retries_total") > retries, "no retries", worker.unready
        )
        assert worker.running
    finally:
        fault.heal(stage)
    feed.finish()
    run.drain()  # by itself
    until(lambda: not worker.unready(), "not ready again", worker.unready)


def test_nothing_was_lost_or_counted_twice(scenery: Scenery) -> None:
    stage, feed, run = scenery
    feed.begin(None, 0)
    feed.finish()
    run.drain()
    assert judge(stage, feed) == Verdict(0, 0, [])
