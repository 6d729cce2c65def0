"""At twice what a worker can do lag grows and nothing else does; then it catches up.

Slow (two minutes): a worker that is held back by its Redis, and a quiet run at the end.
The same with a million posts that wait: `make bounds`.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

import psutil
import pytest

from streams.kafka import ensure_topics
from tests.faults import on_network, on_redis
from tests.faults.fault import FAULTS
from tests.faults.feed import Feed
from tests.faults.final import judge
from tests.faults.judge import Verdict, ends
from tests.faults.run import Run
from tests.faults.stage import HORIZONS, Progress, Stage
from tests.faults.workers import WorkerProcess

__all__ = ["on_network", "on_redis"]

pytestmark = pytest.mark.slow
PARTITIONS: Final = 4
_ANSWER_SECONDS: Final = 0.1  # of Redis: what holds the worker back
_IN_HAND: Final = 200  # posts in one batch, and in one commit: far less than waits
_FIRST: Final = 6_000  # posts that show what the worker can do
_TOO_MANY: Final = 16_000  # posts at twice that
_SLACK_MIB: Final = 25.0
_PATIENCE: Final = 90.0


class Look(NamedTuple):
    """At one moment of the overload."""

    lag: int  # by the log and the stored offsets
    mib: float
    connections: int  # of the worker at Redis


@pytest.fixture
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with Stage(
        tmp_path_factory.mktemp("overload"),
        mode="keyed",
        partitions=PARTITIONS,
        workers=1,
        horizon=HORIZONS[0],
    ) as made:
        settings = made.settings
        made.settings = settings.model_copy(
            update={
                "kafka": settings.kafka.model_copy(update={"max_poll_records": _IN_HAND}),
                "commit": settings.commit.model_copy(update={"max_posts": _IN_HAND}),
            }
        )
        direct = settings.kafka.model_copy(update={"brokers": (made.kafka.bootstrap,)})
        asyncio.run(ensure_topics(direct))
        yield made


def waiting(stage: Stage) -> dict[int, int]:
    """Posts that are not counted, by partition."""
    found, done = ends(stage.kafka.bootstrap, stage.counted_topic), stage.offsets()
    return {p: found[p] - done[p] for p in range(PARTITIONS)}


def says(worker: WorkerProcess, lags: Callable[[], dict[int, int]]) -> None:
    """Until the worker's metric is exactly that."""
    deadline = time.monotonic() + _PATIENCE
    while (said := worker.lags()) != (true := lags()):
        assert time.monotonic() < deadline, f"it says {said}, true is {true}"
        time.sleep(0.2)


def look(stage: Stage, worker: WorkerProcess) -> Look:
    with stage.redis.admin() as redis:
        connections = sum(client["name"] == "streams" for client in redis.client_list())
    rss = psutil.Process(worker.child.pid).memory_info().rss / 2**20
    return Look(sum(waiting(stage).values()), rss, connections)


def capacity(stage: Stage, feed: Feed) -> float:
    """Posts a second that the worker counts while enough of them wait: once it is at work."""
    before = sum(stage.offsets())
    feed.begin(_FIRST, 0.0)
    feed.finish()
    deadline = time.monotonic() + _PATIENCE
    at_work: tuple[int, float] | None = None
    while (done := sum(stage.offsets()) - before) < _FIRST:
        assert time.monotonic() < deadline, f"{done} of {_FIRST} posts counted"
        if at_work is None and done >= _FIRST // 4:
            at_work = done, time.monotonic()
        time.sleep(0.02)
    assert at_work is not None
    return (_FIRST - at_work[0]) / (time.monotonic() - at_work[1])


def test_twice_what_a_worker_can_do(stage: Stage) -> None:
    bootstrap = stage.kafka.bootstrap
    feeding = Feed(stage.settings.kafka, posts=26_000, seed=4, keyed=True, bootstrap=bootstrap)
    with feeding as feed, Progress(stage, lambda: feed.fed) as progress:
        stage.start_workers()
        (worker,) = stage.workers
        run = Run(stage, feed, progress)
        idle = dict.fromkeys(range(PARTITIONS), 0)
        says(worker, lambda: idle)  # nothing was ever written

        stage.redis_proxy.delay = _ANSWER_SECONDS
        rate = capacity(stage, feed)
        says(worker, lambda: idle)  # and now something was

        seconds = _TOO_MANY / (2 * rate)
        feed.begin(_TOO_MANY, seconds)
        until = time.monotonic() + seconds
        looks = [look(stage, worker)]
        while time.monotonic() < until:
            time.sleep(0.3)
            looks.append(look(stage, worker))
        feed.finish()
        half = len(looks) // 2
        before, after = looks[half // 2 : half], looks[half:]
        assert max(one.lag for one in after) > max(one.lag for one in before) > 10 * _IN_HAND
        assert max(one.mib for one in after) < max(one.mib for one in before) + _SLACK_MIB
        most = max(one.connections for one in before)
        assert max(one.connections for one in after) <= most + PARTITIONS

        # Nothing moves while Redis takes no writes: lag has to be right to the post.
        read_only, cut = (FAULTS[name]() for name in ("Redis read-only", "Redis connections cut"))
        dice = random.Random(4)
        read_only.inject(stage, dice)
        says(worker, lambda: waiting(stage))
        cut.inject(stage, dice)  # Redis is away, and posts go on coming
        feed.begin(500, 0.0)
        feed.finish()
        says(worker, lambda: waiting(stage))
        cut.heal(stage)
        read_only.heal(stage)

        run.drain()
        says(worker, lambda: idle)
        stage.redis_proxy.delay = 0.0
        feed.begin(None, 0.0)
        feed.finish()
        run.drain()
        says(worker, lambda: idle)
        assert judge(stage, feed) == Verdict(0, 0, [])
