"""The demo's processes: Kafka, Redis, topics, workers and the exporter."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import shlex
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

import psutil

from streams.config import Settings, load_settings
from streams.counts import read_totals, read_velocity
from streams.demo.options import Options
from streams.embedded import Child, EmbeddedKafka, EmbeddedRedis, free_port, url_answers
from streams.errors import UserError
from streams.kafka import ensure_topics
from streams.redis_client import connect

CAMPAIGN: Final = "metoo"
_READY_SECONDS: Final = 60.0


class Parts:
    """What runs, where it is reached, and what it has used."""

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        self.folder = folder
        self.environ = dict(environ)
        self.settings: Settings = load_settings(None, self.environ)
        self.workers: list[Child] = []
        self.exporter: Child | None = None
        self.urls: dict[str, str] = {}
        self._redis = connect(self.settings.redis)

    @staticmethod
    def streams(*arguments: str) -> list[str]:
        """A command of this package as an argument list, in this Python."""
        return [sys.executable, "-m", "streams", *arguments]

    def start_services(self, workers: int) -> None:
        ports = [free_port() for _ in range(workers)]
        for number, port in enumerate(ports):
            worker = Child(
                f"worker {number}",
                self.streams("worker"),
                log=self.folder / f"worker-{number}.log",
                env={
                    **self.environ,
                    "STREAMS_WORKER__PORT": str(port),
                    "STREAMS_WORKER__HOST": "127.0.0.1",
                },
            )
            self.workers.append(worker.start())
        port = (
            free_port()
            if "STREAMS_EXPORTER__PORT" not in os.environ
            else self.settings.exporter.port
        )
        self.exporter = Child(
            "exporter",
            self.streams("exporter"),
            log=self.folder / "exporter.log",
            env={
                **self.environ,
                "STREAMS_EXPORTER__PORT": str(port),
                "STREAMS_EXPORTER__HOST": "127.0.0.1",
            },
        ).start()
        self.exporter.wait_ready(
            lambda: url_answers(f"http://127.0.0.1:{port}/readyz"), _READY_SECONDS
        )
        for worker, worker_port in zip(self.workers, ports, strict=True):
            worker.wait_ready(
                partial(url_answers, f"http://127.0.0.1:{worker_port}/readyz"), _READY_SECONDS
            )
        self.urls = {
            "page": f"http://127.0.0.1:{port}/",
            "metrics": f"http://127.0.0.1:{port}/metrics",
        }

    def stop_services(self) -> None:
        for child in (*self.workers, self.exporter):
            if child is not None:
                child.signal(15)
        for child in (*self.workers, self.exporter):
            if child is not None:
                child.stop()

    def require_running(self) -> None:
        """Raises `UserError` with the end of its log where a service has ended."""
        for child in (*self.workers, self.exporter):
            if child is not None and not child.running:
                raise UserError(
                    f"{child.name} ended with status {child.returncode}: {child.log_tail(2)}"
                )

    async def look(self) -> tuple[Mapping[str, Any], float | None]:
        """Totals, and the campaign's velocity (posts/s over 1 min of event time)."""
        totals, velocity = await asyncio.gather(
            read_totals(self.settings, self._redis),
            read_velocity(self.settings, self._redis, CAMPAIGN),
        )
        return totals, velocity

    def usage(self, posts: int) -> str:
        """Posts per CPU-second of the workers, start-up included."""
        seconds = 0.0
        for worker in self.workers:
            with contextlib.suppress(psutil.Error):
                times = psutil.Process(worker.pid).cpu_times()
                seconds += times.user + times.system
        return (
            f"workers: {seconds:.1f} CPU-seconds, {posts / seconds:,.0f} posts per CPU-second"
            if seconds
            else ""
        )

    def shell_environment(self) -> str:
        """Lines for `set -a; . .streams/demo.env`."""
        ours = {
            name: value
            for name, value in sorted(self.environ.items())
            if name.startswith("STREAMS_")
        }
        return "".join(f"{name}={shlex.quote(value)}\n" for name, value in ours.items())


def start_parts(
    options: Options, folder: Path, stack: contextlib.ExitStack, say: Callable[[str], None]
) -> Parts:
    """Start what the configuration does not name, and register its end with `stack`.

    An own Kafka or Redis is used where the configuration names it, under names of the demo's own,
    so that it mixes with nothing that is there.  Raises `UserError`.
    """
    configured = load_settings(options.config)
    environ = dict(os.environ)
    if options.config is not None:
        environ["STREAMS_CONFIG"] = str(options.config.resolve())
    run = secrets.token_hex(3)
    if "brokers" not in configured.kafka.model_fields_set:
        say("starting Kafka")
        kafka = EmbeddedKafka(folder / "kafka", progress=say)
        stack.callback(kafka.stop)
        environ["STREAMS_KAFKA__BROKERS"] = kafka.start().bootstrap
    else:
        for topic in ("raw", "keyed", "classified", "dead"):
            environ[f"STREAMS_KAFKA__TOPICS__{topic.upper()}"] = f"demo-{run}.posts.{topic}"
        environ["STREAMS_KAFKA__GROUP"] = f"streams-demo-{run}"
        say(f"using Kafka at {','.join(configured.kafka.brokers)}, topics demo-{run}.posts.*")
    if not {"url", "sentinels"} & configured.redis.model_fields_set:
        say("starting Redis")
        redis = EmbeddedRedis(folder / "redis")
        stack.callback(redis.stop)
        environ["STREAMS_REDIS__URL"] = redis.start().url
    else:
        environ["STREAMS_REDIS__PREFIX"] = f"streams-demo-{run}:"
        say(f"using Redis at {configured.redis.address}, keys streams-demo-{run}:*")
    if configured.privacy.author_key is None:
        environ["STREAMS_PRIVACY__AUTHOR_KEY"] = secrets.token_hex(16)
    # The simulated day is keyed by uid, and its time is the event's.
    environ["STREAMS_KAFKA__INPUT"] = "keyed"
    environ["STREAMS_EXPORTER__CLOCK"] = "replay"
    environ["STREAMS_EXPORTER__INTERVAL"] = "1"
    parts = Parts(folder, environ)
    asyncio.run(ensure_topics(parts.settings.kafka))
    say("starting the worker and the exporter")
    stack.callback(parts.stop_services)
    parts.start_services(options.workers)
    return parts
