"""`make bounds`: a worker's memory with a backlog, and while Redis is away, stays what it is.

    python -m tests.bounds [--posts 1000000] [--away 60]

A topic is filled before the worker starts, so that it is overloaded from its first second on; half
way through the backlog Redis stands still (SIGSTOP: connections stay open, nothing answers) for so
many seconds, and goes on.  Exit status 0 only if memory stayed below the bound, nothing else grew
with the backlog, lag ended at 0, and every count is exact.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import signal
import sys
import time
import urllib.request
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Final, NamedTuple

import psutil
from redis import Redis
from rich.console import Console
from rich.table import Table

from streams.embedded import Child, free_port
from streams.errors import UserError
from tests.benchmarks.measure import tree_rss
from tests.benchmarks.services import Services, say, services
from tests.benchmarks.streams_worker import committed, correct, process, totals, until_assigned
from tests.benchmarks.topics import Topic, fill
from tests.bounds.backlog import Backlog

BOUND_MB: Final = 300.0
_LOOK_SECONDS: Final = 0.1
_STALLED_SECONDS: Final = 120.0
_LAG: Final = re.compile(r"^streams_lag_posts\{[^}]*\} (\S+)$", re.MULTILINE)


class Stretch(NamedTuple):
    """The most that was seen in a part of the run."""

    name: str
    mb: float
    connections: int
    lag: tuple[int, int]  # at its beginning and end, by the log and the stored offsets


class Watcher:
    """Looks at a worker until something holds."""

    def __init__(self, worker: Child, counted: Callable[[], int], posts: int) -> None:
        self._worker = worker
        self._counted = counted
        self._posts = posts

    def until(self, name: str, over: Callable[[int], bool], seconds: float) -> Stretch:
        """`over` is asked with the lag.  Raises `UserError` after so many seconds."""
        own = psutil.Process(self._worker.pid)
        deadline = time.monotonic() + seconds
        first = lag = self._posts - self._counted()
        most, connections = 0.0, 0
        while not over(lag):
            if not self._worker.running or time.monotonic() > deadline:
                raise UserError(f"{name}: lag {lag:,}: {self._worker.log_tail(5)}")
            most = max(most, tree_rss([self._worker.pid]))
            connections = max(connections, len(own.net_connections()))
            time.sleep(_LOOK_SECONDS)
            lag = self._posts - self._counted()
        say(f"  {name}: {most:.0f} MiB, lag {first:,} to {lag:,}")
        return Stretch(name, most, connections, (first, lag))


def away(server: int, watcher: Watcher, seconds: float, last: list[int]) -> Stretch:
    """Redis stands still; nobody may ask it meanwhile, so the lag is that of before."""
    stopped = psutil.Process(server)
    stopped.send_signal(signal.SIGSTOP)
    until = time.monotonic() + seconds
    try:
        last[0] = 1  # the watcher takes what it saw last
        return watcher.until("Redis away", lambda _: time.monotonic() > until, seconds + 30)
    finally:
        last[0] = 0
        stopped.send_signal(signal.SIGCONT)


def published_lag(port: int) -> float:
    """What the worker says of itself: records, over all partitions."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        return sum(map(float, _LAG.findall(answer.read().decode())))


def bounds(running: Services, posts: int, seconds: float) -> tuple[list[Stretch], float, bool]:
    """The stretches, the lag that the worker publishes at the end, and whether counts are exact."""
    settings = running.settings("bounds", raw="posts.raw")
    topic: Topic = asyncio.run(fill(settings.kafka, Backlog(posts)))
    posts = topic.posts
    say(f"  {posts:,} posts wait")
    port = free_port()
    with Redis.from_url(running.redis_url, socket_timeout=90) as redis, ExitStack() as stack:
        server = int(redis.info("server")["process_id"])
        worker = stack.enter_context(process(running, settings, STREAMS_WORKER__PORT=str(port)))
        until_assigned(worker, redis, settings)
        frozen, last = [0], [0]

        def counted() -> int:
            if not frozen[0]:
                last[0] = committed(redis, settings, topic)
            return last[0]

        watcher = Watcher(worker, counted, posts)
        patience = _STALLED_SECONDS + posts / 1000
        stretches = [
            watcher.until("first half", lambda lag: lag <= posts // 2, patience),
            away(server, watcher, seconds, frozen),
            watcher.until("second half", lambda lag: lag <= 0, patience),
        ]
        deadline = time.monotonic() + 30
        while (lag := published_lag(port)) and time.monotonic() < deadline:
            time.sleep(_LOOK_SECONDS)
        return stretches, lag, correct(asyncio.run(totals(settings)), topic)


def main(arguments: Sequence[str] | None = None) -> int:
    """1 where a bound was passed, or a post is missing."""
    parser = argparse.ArgumentParser(prog="make bounds", description=__doc__.splitlines()[0])
    parser.add_argument("--posts", type=int, default=1_000_000, help="that wait at the beginning")
    parser.add_argument("--away", type=float, default=60.0, help="seconds without Redis")
    given = parser.parse_args(arguments)
    console = Console(width=100)
    with services() as running:
        stretches, lag, exact = bounds(running, given.posts, given.away)
    table = Table("", "MiB, at most", "connections", "lag at its beginning", "end", box=None)
    for one in stretches:
        table.add_row(one.name, f"{one.mb:.0f}", str(one.connections), *(f"{n:,}" for n in one.lag))
    console.print(table)
    most = max(one.mb for one in stretches)
    kept = most < BOUND_MB and lag == 0 and exact
    console.print(
        f"{given.posts:,} posts: {most:.0f} MiB at most, bound {BOUND_MB:.0f}; the worker says lag "
        f"{lag:.0f} at the end; {'exact' if exact else 'WRONG'}"
    )
    return int(not kept)


if __name__ == "__main__":
    sys.exit(main())
