"""What a crowd at the API costs the worker: its rate with and without.

    python -m tests.benchmarks.api_load [--posts 300000] [--rounds 3] [--clients 200] [--rate 500]

One worker counts a full topic twice in each round, while an exporter serves nobody and while it
serves 200 listeners of the event stream and 500 requests a second of all endpoints.  It prints the
ratios of the worker's rate, of its posts a CPU-second, and of Redis' CPU a post.  Exporter and
crowd run at a lower priority, as they are on other machines in earnest: what they share with the
worker there is Redis.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from typing import Final, NamedTuple

from aiohttp import ClientError, ClientSession, ClientTimeout, TCPConnector
from redis import Redis

from streams.embedded import Child, free_port, url_answers
from streams.kafka import ensure_topics
from tests.benchmarks import streams_worker
from tests.benchmarks.firehose import PAYLOADS, Firehose
from tests.benchmarks.measure import redis_cpu, tree_cpu
from tests.benchmarks.services import Services, entry, environment, services
from tests.benchmarks.topics import Topic, fill, remove

_PATHS: Final = (
    *("campaigns", "campaigns/metoo", "campaigns/metoo/series", "hashtags", "hashtags/metoo"),
    *("hashtags/metoo/series?window=24h", "posts", "posts?hashtag=metoo&limit=100"),
    *("posts?hashtag=metoo&lang=en&via=hashtag", "events?limit=10"),
)
_SHARE: Final = 0.05


class Run(NamedTuple):
    """Posts a second, posts a CPU-second of the worker, Redis' CPU-microseconds a post."""

    rate: float
    per_cpu: float
    redis: float


class Crowd(NamedTuple):
    """Answers a second, share of them that were errors, events received, listeners at the end."""

    rate: float
    errors: float
    events: int
    listeners: int


async def crowd(url: str, clients: int, rate: float) -> None:
    """Ask until a line on stdin says that it is enough; then say how it went, as JSON."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_reader(sys.stdin, stop.set)
    answers = errors = events = listening = 0

    async def listen(session: ClientSession) -> None:
        nonlocal events, listening
        headers = {"accept": "text/event-stream", "last-event-id": "0-0"}
        async with session.get(f"{url}/api/v1/events", headers=headers) as answer:
            listening += 1
            with suppress(ClientError):  # the exporter ends before the crowd
                async for line in answer.content:
                    events += line.startswith(b"event:")

    async def ask(session: ClientSession, path: str) -> None:
        nonlocal answers, errors
        try:
            headers = {"accept": "application/json"}
            async with session.get(f"{url}/api/v1/{path}", headers=headers) as answer:
                await answer.read()
                answers += 1
                errors += answer.status >= 500
        except (ClientError, TimeoutError):
            errors += 1

    timeout = ClientTimeout(total=None, sock_read=None)
    async with (
        ClientSession(connector=TCPConnector(limit=0), timeout=timeout) as streams,
        ClientSession(connector=TCPConnector(limit=64)) as session,
    ):
        tasks = [asyncio.ensure_future(listen(streams)) for _ in range(clients)]
        asking: set[asyncio.Task[None]] = set()
        began, sent = time.monotonic(), 0
        while not stop.is_set():
            due = int((time.monotonic() - began) * rate)
            for number in range(sent, due):
                task = asyncio.ensure_future(ask(session, _PATHS[number % len(_PATHS)]))
                asking.add(task)
                task.add_done_callback(asking.discard)
            sent = due
            await asyncio.sleep(0.01)
        seconds = time.monotonic() - began
        found = Crowd(answers / seconds, errors / max(1, answers), events, listening)
        for task in (*tasks, *asking):
            task.cancel()
        await asyncio.gather(*tasks, *asking, return_exceptions=True)
    sys.stdout.write(json.dumps(found._asdict()) + "\n")


def nicely(nice: int, *arguments: str) -> list[str]:
    return ["nice", "-n", str(nice), sys.executable, "-m", *arguments]


async def measured(
    running: Services, topic: Topic, nice: int, load: tuple[int, float] | None
) -> tuple[Run, Crowd | None]:
    """One worker over the whole topic, with an exporter beside it, and perhaps a crowd."""
    name = f"load-{time.monotonic_ns()}"
    settings = running.settings(name, raw=topic.name, partitions=topic.partitions)
    await ensure_topics(settings.kafka)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with Redis.from_url(running.redis_url) as redis, ExitStack() as stack:
        redis.flushall()
        exporter = Child(
            "exporter",
            nicely(nice, "streams", "exporter"),
            log=running.folder / f"{name}-exporter.log",
            env={
                **environment(settings),
                "STREAMS_EXPORTER__PORT": str(port),
                "STREAMS_EXPORTER__HOST": "127.0.0.1",
                "STREAMS_EXPORTER__CLOCK": "replay",
            },
            cwd=running.folder,
        )
        stack.enter_context(exporter)
        exporter.wait_ready(lambda: url_answers(f"{url}/readyz"))
        asking = None
        if load is not None:
            asking = await asyncio.create_subprocess_exec(
                *nicely(nice, "tests.benchmarks.api_load", "--crowd", url),
                *("--clients", str(load[0]), "--rate", str(load[1])),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
            )
            await asyncio.sleep(3)  # until all listen
        worker = stack.enter_context(streams_worker.process(running, settings))
        streams_worker.until_assigned(worker, redis, settings)
        began, cpu, before = time.perf_counter(), tree_cpu([worker.pid]), redis_cpu(redis)
        await asyncio.to_thread(streams_worker.follow, [worker], redis, settings, topic)
        seconds = time.perf_counter() - began
        run = Run(
            topic.posts / seconds,
            topic.posts / (tree_cpu([worker.pid]) - cpu),
            (redis_cpu(redis) - before) / topic.posts * 1e6,
        )
        said = None
        if asking is not None:
            out, _ = await asking.communicate(b"\n")
            said = Crowd(**json.loads(out))
    topics = settings.kafka.topics
    await remove(settings.kafka, (topics.keyed, topics.classified, topics.dead))
    return run, said


async def compare(
    running: Services, posts: int, nice: int, load: tuple[int, float], rounds: int
) -> None:
    kafka = running.settings("fill", raw="posts").kafka
    topic = await fill(kafka, Firehose(PAYLOADS["compact-v2"], posts, share=_SHARE))
    alone: list[Run] = []
    beside: list[Run] = []
    for _ in range(rounds):
        alone.append((await measured(running, topic, nice, None))[0])
        run, said = await measured(running, topic, nice, load)
        beside.append(run)
        if said is not None:
            sys.stdout.write(
                f"crowd: {said.rate:.0f} answers/s, {said.errors:.2%} errors, "
                f"{said.listeners} listeners, {said.events:,} events\n"
            )
            sys.stdout.flush()
    for name, unit in (("rate", "posts/s"), ("per_cpu", "posts/CPU-s"), ("redis", "us Redis/post")):
        one, other = (
            statistics.median(getattr(run, name) for run in runs) for runs in (alone, beside)
        )
        sys.stdout.write(
            f"{name:8} alone {one:12,.1f}  crowd {other:12,.1f} {unit:14} ratio {other / one:.3f}\n"
        )


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--posts", type=int, default=300_000)
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--rate", type=float, default=500)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--nice", type=int, default=15)
    parser.add_argument("--crowd", metavar="URL", help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.crowd:
        asyncio.run(crowd(given.crowd, given.clients, given.rate))
        return 0
    with services() as running:
        asyncio.run(
            compare(running, given.posts, given.nice, (given.clients, given.rate), given.rounds)
        )
    return 0


if __name__ == "__main__":
    raise SystemExit(entry(main))
