"""`make soak`: a hundred hours of event time in half an hour, and nothing grows that need not.

    python -m tests.soak [--minutes 30] [--rate 300]

Posts of a firehose, a twentieth of a campaign, at a steady rate; their event time passes so fast
that everything that is kept (25 hours, of campaigns 49) is full after half of the run.  From then
on memory, connections, descriptors and Redis' keys are compared.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from threading import Event, Thread
from typing import Final

from redis import Redis
from rich.console import Console
from rich.table import Table

from streams.config import Settings
from streams.embedded import Child, free_port, url_answers
from streams.kafka import ensure_topics
from tests.benchmarks.firehose import PAYLOADS, Firehose
from tests.benchmarks.services import Services, entry, environment, say, services
from tests.benchmarks.streams_worker import committed, process, totals, until_assigned
from tests.benchmarks.topics import Topic, producer
from tests.soak.vitals import Vital, bytes_per_hashtag, growth, look

_HOURS: Final = 100.0  # of event time
_FULL: Final = (0.55, 0.75)  # of the run: campaigns' buckets are kept for 49 hours
_LAST: Final = (0.80, 1.0)
_LOOK_SECONDS: Final = 1.0
_TICK_SECONDS: Final = 0.1
_REMEMBERED_HOURS: Final = 25


async def _send(settings: Settings, firehose: Firehose, rate: float, sent: list[int]) -> None:
    """All posts at `rate` a second; `sent` holds how many."""
    kafka = settings.kafka
    began = time.monotonic()
    async with producer(kafka, compression_type="zstd") as to:
        for line in firehose:
            if (ahead := sent[0] / rate - (time.monotonic() - began)) > _TICK_SECONDS:
                await asyncio.sleep(ahead)
            await to.send(kafka.topics.raw, line.value, key=line.key, timestamp_ms=line.stamp)
            sent[0] += 1
        await to.flush()


def soak(running: Services, minutes: float, rate: float, console: Console) -> bool:
    """Run, print; whether nothing grew and every post was counted."""
    posts = int(rate * minutes * 60)
    firehose = Firehose(PAYLOADS["compact-v2"], posts, share=0.05, rate=posts / (_HOURS * 3600))
    settings = running.settings("soak", raw="posts.raw")
    asyncio.run(ensure_topics(settings.kafka))
    topic = Topic(settings.kafka.topics.raw, settings.kafka.partitions, posts, 0, {})
    looks: list[tuple[float, dict[Vital, float]]] = []
    with Redis.from_url(running.redis_url, socket_timeout=60) as redis, ExitStack() as stack:
        worker = stack.enter_context(process(running, settings))
        exporter = stack.enter_context(_exporter(running, settings, port := free_port()))
        exporter.wait_ready(lambda: url_answers(f"http://127.0.0.1:{port}/readyz"))
        until_assigned(worker, redis, settings)
        sent, ended = [0], Event()

        def send() -> None:
            try:
                asyncio.run(_send(settings, firehose, rate, sent))
            finally:
                ended.set()

        Thread(target=send, name="sender", daemon=True).start()
        processes = {"worker": worker.pid, "exporter": exporter.pid}
        told = 0
        while not ended.wait(_LOOK_SECONDS):
            looks.append((sent[0] / posts, look(processes, redis)))
            if sent[0] * 10 // posts > told:
                told = sent[0] * 10 // posts
                lag = sent[0] - committed(redis, settings, topic)
                say(f"  {told * 10} %: {sent[0]:,} posts sent, {max(0, lag):,} not counted yet")
        until = time.monotonic() + 60
        while committed(redis, settings, topic) < posts and time.monotonic() < until:
            time.sleep(0.1)
        counted, truth = asyncio.run(totals(settings)), firehose.document()
        hashtag, tags = bytes_per_hashtag(redis)
        memory = looks[-1][1][Vital("Redis", "MiB")] * 2**20
    table = Table("", "", f"{_FULL[0]:.0%}-{_FULL[1]:.0%}", f"{_LAST[0]:.0%}-100%", "", box=None)
    grown = growth(looks, _FULL, _LAST)
    for one in grown:
        mark = "GROWS" if one.too_much else ""
        table.add_row(*one.vital, f"{one.before:,.1f}", f"{one.after:,.1f}", mark)
    console.print(table)
    remembered = posts * _REMEMBERED_HOURS / _HOURS
    console.print(
        f"Redis: {memory / remembered:,.0f} bytes a post of the last 25 h "
        f"({remembered:,.0f} posts, all included); {hashtag:,.0f} bytes of "
        f"totals a hashtag ({tags:,} alive)"
    )
    exact = counted["counted"] == truth["counted"] and counted["posts"] == truth["posts"]
    console.print(
        f"{posts:,} posts, {counted['counted']:,} counted: {'exact' if exact else 'WRONG'}"
    )
    return exact and not any(one.too_much for one in grown)


def _exporter(running: Services, settings: Settings, port: int) -> Child:
    """An exporter that reads every second."""
    env = {
        **environment(settings),
        "STREAMS_EXPORTER__HOST": "127.0.0.1",
        "STREAMS_EXPORTER__PORT": str(port),
        "STREAMS_EXPORTER__CLOCK": "replay",
        "STREAMS_EXPORTER__INTERVAL": "1",
    }
    return Child(
        "exporter",
        [sys.executable, "-m", "streams", "exporter"],
        log=running.folder / "exporter.log",
        env=env,
        cwd=running.folder,
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """1 where something grew, or a post is missing."""
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--rate", type=float, default=300.0, help="posts a second")
    given = parser.parse_args(arguments)
    with services() as running:
        return int(not soak(running, given.minutes, given.rate, Console(width=100)))


if __name__ == "__main__":
    raise SystemExit(entry(main))
