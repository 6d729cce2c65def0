"""What reading costs: a scrape where everything is large, and ten exporters beside a worker.

    python -m tests.benchmarks.reads [--posts N] [--exporters 10] [--scrapes 50]

The scrape: 20 campaigns, 50 top hashtags, 100,000 hashtags alive, with 2 and with 24 hours of
history.  The worker: posts per second and CPU-second without and with exporters that read, in turn.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Final
from urllib.request import urlopen

from redis import Redis
from rich.console import Console
from rich.table import Table

from streams.embedded import Child, free_port, url_answers
from streams.errors import UserError
from tests.benchmarks import streams_worker
from tests.benchmarks.firehose import PAYLOADS, Firehose
from tests.benchmarks.redis_cost import quantile
from tests.benchmarks.services import Services, entry, environment, say, services
from tests.benchmarks.topics import fill
from tests.crowd import crowd
from tests.filled import Filled

_CAMPAIGNS: Final = 20
_READY_SECONDS: Final = 60.0


@contextmanager
def exporter(running: Services, prefix: str, number: int = 0) -> Iterator[str]:
    """An exporter process over the counters under a prefix; the address of its metrics."""
    port = free_port()
    env = {
        **environment(running.settings("exporter", raw="posts")),
        "STREAMS_REDIS__PREFIX": prefix,
        "STREAMS_EXPORTER__HOST": "127.0.0.1",
        "STREAMS_EXPORTER__PORT": str(port),
        "STREAMS_EXPORTER__CLOCK": "replay",
    }
    child = Child(
        f"exporter {number}",
        [sys.executable, "-m", "streams", "exporter"],
        log=running.folder / f"exporter-{prefix.strip(':')}-{number}.log",
        env=env,
        cwd=running.folder,
    )
    with child:
        deadline = time.monotonic() + _READY_SECONDS
        while not url_answers(f"http://127.0.0.1:{port}/readyz"):
            if not child.running or time.monotonic() > deadline:
                raise UserError(f"the exporter does not start: {child.log_tail(5)}")
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}/metrics"


def scrapes(url: str, times: int) -> tuple[list[float], int, float]:
    """Milliseconds of each scrape, ascending; samples; seconds of a read of Redis, on average."""
    deadline = time.monotonic() + _READY_SECONDS
    while b"streams_campaign_velocity{" not in (text := _get(url)):
        if time.monotonic() > deadline:
            raise UserError("the exporter reads nothing")
        time.sleep(0.2)
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        text = _get(url)
        taken.append((time.perf_counter() - began) * 1000)
        time.sleep(0.05)  # while it goes on reading Redis
    lines = text.decode().splitlines()
    values = {line.split(" ")[0]: line.split(" ")[1] for line in lines if line[:1] != "#"}
    name = "streams_redis_read_seconds"
    read = float(values[f"{name}_sum"]) / max(1.0, float(values[f"{name}_count"]))
    return sorted(taken), len(values), read


def _get(url: str) -> bytes:
    with urlopen(url, timeout=30) as answer:  # noqa: S310 - our own server on the loopback
        return bytes(answer.read())


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; 1 where a count was wrong."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--posts", type=int, default=200_000)
    parser.add_argument("--exporters", type=int, default=10)
    parser.add_argument("--scrapes", type=int, default=50)
    parser.add_argument("--runs", type=int, default=3)
    given = parser.parse_args(arguments)
    console = Console(width=110)
    exact = True
    with services() as running, Redis.from_url(running.redis_url) as redis:
        table = Table(
            "hours kept", "samples", "scrape p50 ms", "p99 ms", "read of Redis s", box=None
        )
        for hours in (2, 24):
            redis.flushall()
            crowd(Filled(running.redis_url, f"h{hours}:"), _CAMPAIGNS, hours)
            with exporter(running, f"h{hours}:") as url:
                taken, samples, read = scrapes(url, given.scrapes)
            table.add_row(
                *(str(hours), f"{samples:,}", f"{quantile(taken, 0.5):.1f}"),
                *(f"{quantile(taken, 0.99):.1f}", f"{read:.2f}"),
            )
            say(f"{hours} hours: scrape p50 {quantile(taken, 0.5):.1f} ms")
        console.print(table)
        kafka = running.settings("fill", raw="posts").kafka
        topic = asyncio.run(fill(kafka, Firehose(PAYLOADS["compact-v2"], given.posts, share=0.05)))
        for turn in range(given.runs):
            alone = streams_worker.run(running, topic)
            name = f"watched-{turn}"
            with ExitStack() as stack:
                for number in range(given.exporters):
                    stack.enter_context(exporter(running, f"{name}:", number))
                beside = streams_worker.run(running, topic, name=name)
            exact = exact and alone.exact is not False and beside.exact is not False
            say(
                f"turn {turn + 1}: with {given.exporters} exporters "
                f"{beside.per_cpu_second / alone.per_cpu_second:.2f} of the posts per CPU-second, "
                f"{beside.per_second / alone.per_second:.2f} of the posts per second (shared cores)"
            )
    return int(not exact)


if __name__ == "__main__":
    raise SystemExit(entry(main))
