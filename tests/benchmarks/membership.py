"""How long posts wait while a worker is restarted: with a static membership and without.

    python -m tests.benchmarks.membership [--workers 3] [--partitions 12] [--rate 2000] [--pause 3]
        [--session 30]

A steady load; then one worker is ended by SIGTERM, or killed, or all are restarted one by one as in
a rolling update.  A worker comes back `--pause` seconds after it has ended, which is what a pod
takes to be scheduled.  A static member has `kafka.instance_id`: Kafka keeps its partitions for it
until the session times out.  A wait is that of a post from its produce until it is in the totals.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Final, NamedTuple

from redis import Redis
from rich.console import Console
from rich.table import Table

from streams.config import Settings
from streams.embedded import Child, free_port, url_answers
from streams.errors import UserError
from streams.kafka import ensure_topics
from streams.keys import Layout
from tests.benchmarks.latency import Seen, latencies, look, quantile
from tests.benchmarks.pacing import Sent
from tests.benchmarks.services import Services, entry, environment, say, services

_WARM_SECONDS: Final = 3.0
_AFTER_SECONDS: Final = 15.0  # of load after the last restart, at least
_STOOD_SECONDS: Final = 1.0  # a partition that counts nothing for longer stood still
_READY_SECONDS: Final = 90.0


class Pod:
    """A worker that comes back under its name, as a StatefulSet's pod does."""

    def __init__(self, running: Services, settings: Settings, number: int, *, static: bool) -> None:
        port = free_port()
        self._ready = f"http://127.0.0.1:{port}/readyz"
        name = {"STREAMS_KAFKA__INSTANCE_ID": f"worker-{number}"} if static else {}
        self.child = Child(
            f"worker {number}",
            [sys.executable, "-m", "streams", "worker"],
            log=running.folder / f"{settings.kafka.group}-{number}.log",
            env={
                **environment(settings),
                **name,
                "STREAMS_KAFKA__SESSION_TIMEOUT": str(settings.kafka.session_timeout),
                "STREAMS_WORKER__PORT": str(port),
            },
            cwd=running.folder,
        )

    def start(self) -> None:
        self.child.start()
        self.child.wait_ready(lambda: url_answers(self._ready), _READY_SECONDS)

    def restart(self, number: int, pause: float) -> None:
        """Returns once it is ready again."""
        self.child.signal(number)
        self.child.wait(30)
        time.sleep(pause)
        self.start()


Change: type = Callable[[Sequence[Pod], float], None]


def _terminated(pods: Sequence[Pod], pause: float) -> None:
    pods[0].restart(signal.SIGTERM, pause)


def _killed(pods: Sequence[Pod], pause: float) -> None:
    pods[0].restart(signal.SIGKILL, pause)


def _rolled(pods: Sequence[Pod], pause: float) -> None:
    for pod in reversed(pods):  # a StatefulSet begins with the last
        pod.restart(signal.SIGTERM, pause)


#: What happens, and for how long posts have to come: a session that times out takes 30 s.
CHANGES: Final[dict[str, tuple[Change, float]]] = {
    "one ended (SIGTERM)": (_terminated, 20.0),
    "one killed (SIGKILL)": (_killed, 45.0),
    "all, one by one": (_rolled, 45.0),
}


class Stall(NamedTuple):
    """`longest` and `p99` of what posts waited, s; partitions that stood; the change's seconds."""

    longest: float
    p99: float
    stood: int
    changed: float


def measure(
    running: Services, asked: argparse.Namespace, change: Change, seconds: float, *, static: bool
) -> Stall:
    """One change under load, on workers and topics of its own."""
    name = f"membership-{time.monotonic_ns()}"
    settings = running.settings(name, raw=f"{name}.raw", partitions=asked.partitions)
    kafka = settings.kafka.model_copy(update={"session_timeout": asked.session})
    settings = settings.model_copy(update={"kafka": kafka})
    asyncio.run(ensure_topics(kafka))
    posts = int(asked.rate * seconds)
    with Redis.from_url(running.redis_url) as redis, ExitStack() as stack:
        redis.flushall()
        pods = [Pod(running, settings, n, static=static) for n in range(asked.workers)]
        for pod in pods:
            stack.callback(pod.child.stop)
            pod.start()
        load = Child(
            "load",
            [
                *(sys.executable, "-m", "tests.benchmarks.pacing", running.bootstrap),
                *(kafka.topics.raw, str(kafka.partitions), str(asked.rate), str(seconds)),
            ],
            log=running.folder / f"{name}.log",
            env=environment(settings),
            cwd=running.folder,
        )
        took: list[float] = []

        def work() -> None:
            while load.running and not _flows(redis, settings, kafka.partitions):
                time.sleep(0.1)  # the load makes its posts before it sends the first one
            time.sleep(_WARM_SECONDS)
            began = time.monotonic()
            change(pods, asked.pause)
            took.append(time.monotonic() - began)

        actor = threading.Thread(target=work)
        with load:
            actor.start()
            seen = look(redis, settings, load, posts)
            status = load.wait(60)
            actor.join()
        if status != 0 or not took:
            raise UserError(f"the load or a restart failed: {load.log_tail(5)}")
        sent: list[Sent] = json.loads(load.log.read_text().splitlines()[-1])
    begun = min(at for *_, at in sent)
    waited = latencies([one for one in sent if one[3] - begun >= _WARM_SECONDS / 2], seen)
    stood = sum(_longest_gap(one) > _STOOD_SECONDS for one in seen)
    return Stall(waited[-1][0], quantile(waited, 0.99), stood, took[0])


def _flows(redis: Redis, settings: Settings, partitions: int) -> bool:
    """Whether every partition has counted something."""
    layout, topic = Layout(settings.redis.prefix), settings.kafka.topics.raw
    states = [layout.partition(topic, number).state for number in range(partitions)]
    return all(redis.hget(state, "offset") for state in states)


def _longest_gap(seen: Seen) -> float:
    """Seconds between two batches of a partition, at most."""
    return max((b - a for a, b in zip(seen.times, seen.times[1:], strict=False)), default=0.0)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--partitions", type=int, default=12)
    parser.add_argument("--rate", type=float, default=2000.0, help="posts/s")
    parser.add_argument("--pause", type=float, default=3.0, help="s until a worker comes back")
    parser.add_argument("--session", type=float, default=30.0, help="kafka.session_timeout, s")
    asked = parser.parse_args(arguments)
    table = Table("restarted", "membership", "took s", "longest wait s", "p99 s", "stood", box=None)
    for column in table.columns[2:]:
        column.justify = "right"
    with services() as running:
        for label, (change, seconds) in CHANGES.items():
            for static in (False, True):
                long = seconds + _AFTER_SECONDS
                stall = measure(running, asked, change, long, static=static)
                row = (
                    label,
                    "static" if static else "dynamic",
                    f"{stall.changed:.1f}",
                    f"{stall.longest:.1f}",
                    f"{stall.p99:.1f}",
                    f"{stall.stood} of {asked.partitions}",
                )
                table.add_row(*row)
                say(", ".join(row))
    Console(width=100).print(table)
    return 0


if __name__ == "__main__":
    raise SystemExit(entry(main))
