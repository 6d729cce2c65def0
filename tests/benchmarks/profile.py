"""`make profile`: a flame graph of a worker at work, by py-spy.

    python -m tests.benchmarks.profile [--posts N] [--payload NAME] [--share S] [--native]
                                       [--out profile.svg]

py-spy is no dependency: it is found on the PATH or beside this Python (`pip install py-spy`).
With another ending than .svg, py-spy's collapsed stacks are written, for other tools.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from redis import Redis

from streams.embedded import Child
from streams.errors import UserError
from streams.kafka import ensure_topics
from tests.benchmarks import streams_worker
from tests.benchmarks.firehose import PAYLOADS, Firehose
from tests.benchmarks.services import Services, entry, say, services
from tests.benchmarks.topics import Topic, fill


def find_py_spy() -> str:
    """Path of py-spy; UserError where there is none."""
    beside = str(Path(sys.executable).parent)
    found = shutil.which("py-spy") or shutil.which("py-spy", path=beside)
    if found is None:
        raise UserError("no py-spy: pip install py-spy")
    return found


def record(running: Services, topic: Topic, out: Path, *, native: bool) -> None:
    """Profile one worker from its first assignment until it has counted the topic."""
    settings = running.settings("profile", raw=topic.name, partitions=topic.partitions)
    asyncio.run(ensure_topics(settings.kafka))
    with Redis.from_url(running.redis_url) as redis:
        redis.flushall()
        with streams_worker.process(running, settings) as worker:
            streams_worker.until_assigned(worker, redis, settings)
            command: list[str | Path] = [
                *(find_py_spy(), "record", "--pid", str(worker.pid), "--rate", "200"),
                *("--format", "flamegraph" if out.suffix == ".svg" else "raw"),
                *(["--native"] if native else []),
                *("--output", out.resolve()),
            ]
            spy = Child("py-spy", command, log=running.folder / "py-spy.log")
            with spy:
                streams_worker.follow([worker], redis, settings, topic)
                spy.signal(signal.SIGINT)  # py-spy writes what it has
                spy.wait(60)
    if not out.exists():
        raise UserError(f"py-spy failed: {spy.log_tail(3)}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Profile, and say where the graph is."""
    parser = argparse.ArgumentParser(prog="make profile", description=__doc__.splitlines()[0])
    parser.add_argument("--posts", type=int, default=500_000)
    parser.add_argument("--payload", choices=PAYLOADS, default="compact-v2")
    parser.add_argument("--share", type=float, default=0.05)
    parser.add_argument("--native", action="store_true", help="with frames of C libraries")
    parser.add_argument("--out", type=Path, default=Path("profile.svg"))
    given = parser.parse_args(arguments)
    find_py_spy()
    with services() as running:
        firehose = Firehose(PAYLOADS[given.payload], given.posts, share=given.share)
        topic = asyncio.run(fill(running.settings("fill", raw="posts").kafka, firehose))
        record(running, topic, given.out, native=given.native)
    say(f"{given.out}: a flame graph of {topic.posts:,} posts")
    return 0


if __name__ == "__main__":
    raise SystemExit(entry(main))
