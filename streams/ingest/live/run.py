"""The process `streams ingest`: one source, its way into Kafka, metrics and health."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any, Final

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from streams.config import Settings
from streams.errors import UserError
from streams.health import serve_health
from streams.ingest.live.backoff import Backoff
from streams.ingest.live.cursors import CursorStore
from streams.ingest.live.deliver import KafkaSink, Sink, StdoutSink, deliver
from streams.ingest.live.follow import follow
from streams.ingest.live.metrics import REGISTRY, IngestObserver
from streams.ingest.live.records import Recorder
from streams.ingest.live.source import Cursor, Item, Source
from streams.ingest.live.sources import open_source
from streams.ingest.sending import PRODUCER
from streams.kafka import client_options, unreachable
from streams.producing import LastingProducer

log: Final = logging.getLogger(__name__)

_STUCK: Final = 60.0  # s: not ready where a record waits longer for Kafka
_STOP_SECONDS: Final = 10.0  # for what is in hand when the process is told to end
_RETRY_SECONDS: Final = 2.0


class IngestHealth:
    """Ready: connected to the source, and Kafka takes what comes."""

    def __init__(self, observer: IngestObserver) -> None:
        self._observer = observer

    @property
    def started(self) -> bool:
        """It has nothing to wait for: what it reads it takes up when it is connected."""
        return True

    async def reasons(self) -> list[str]:
        """Why it is not ready, one line each; empty when it is."""
        reasons = []
        if not self._observer.is_connected:
            reasons.append("the source is not connected")
        if (waiting := self._observer.pending()) > _STUCK:
            reasons.append(f"Kafka has not taken a record for {waiting:.0f} s")
        return reasons


async def run_ingest(
    settings: Settings, source: str, target: str | None, *, once: float | None, stdout: bool
) -> int:
    """Run until the source ends, `once` seconds are over, SIGTERM or SIGINT; the exit status.

    `target` is the path of the source `file`.  With `stdout`, no Kafka is asked for: values go to
    standard output, from now on.  Raises `UserError`.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with open_source(settings, source, target, kafka=not stdout) as (stream, observer):
        if stdout:
            await _run(stream, None, StdoutSink(observer), observer, stop, settings, once)
            return 0
        health = await serve_health(
            settings.ingest.host,
            settings.ingest.port,
            IngestHealth(observer),
            registry=REGISTRY,
            setting="ingest.port",
        )
        log.info("metrics and health on http://%s:%d", settings.ingest.host, health.port)
        try:
            async with _kafka(settings, stream, observer, stop) as found:
                if found is not None:
                    sink, cursor = found
                    await _run(stream, cursor, sink, observer, stop, settings, once)
        finally:
            await health.stop()
    return 0


async def _run(
    source: Source,
    cursor: Cursor | None,
    sink: Sink,
    observer: IngestObserver,
    stop: asyncio.Event,
    settings: Settings,
    once: float | None,
) -> None:
    queue: asyncio.Queue[Item] = asyncio.Queue(settings.ingest.queue)
    following = asyncio.create_task(follow(source, cursor, queue, observer, Backoff()))
    delivering = asyncio.create_task(deliver(queue, sink, observer))
    told = asyncio.create_task(stop.wait())
    tasks: set[asyncio.Task[Any]] = {following, delivering, told}
    try:
        await asyncio.wait(tasks, timeout=once, return_when=asyncio.FIRST_COMPLETED)
        following.cancel()
        await asyncio.wait({following})
        if not delivering.done():
            await _finish(queue, sink, delivering, patient=not stop.is_set())
        for task in (following, delivering):
            if task.done() and not task.cancelled():
                task.result()  # raises what ended it
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def _finish(
    queue: asyncio.Queue[Item], sink: Sink, delivering: asyncio.Task[None], *, patient: bool
) -> None:
    """What is in hand is brought to its end, if that does not take too long."""
    joined = asyncio.create_task(queue.join())
    await asyncio.wait(
        {joined, delivering},
        timeout=None if patient else _STOP_SECONDS,
        return_when=asyncio.FIRST_COMPLETED,
    )
    if joined.done():
        with suppress(TimeoutError):
            await asyncio.wait_for(sink.rest(), _STOP_SECONDS)
    else:
        joined.cancel()
        log.warning("%d records are not in Kafka: they are read again", queue.qsize())


@asynccontextmanager
async def _kafka(
    settings: Settings, source: Source, observer: IngestObserver, stop: asyncio.Event
) -> AsyncIterator[tuple[KafkaSink, Cursor | None] | None]:
    """The sink, and where to go on; None where the process is told to end before Kafka answers."""
    producer = LastingProducer(partial(_producer, settings))
    cursors = CursorStore(settings, source.name)
    try:
        found = await _start(settings, producer, cursors, observer, stop)
        if found is None:
            yield None
            return
        (stored,) = found
        if stored is not None:
            log.info("%s: goes on from %s", source.name, dict(stored[0]))
            observer.stored(stored[1])
        sink = KafkaSink(settings, producer, cursors, Recorder(source.platform), observer)
        yield sink, None if stored is None else stored[0]
    finally:
        with suppress(Exception):
            await asyncio.wait_for(producer.stop(), _RETRY_SECONDS)


async def _start(
    settings: Settings,
    producer: LastingProducer,
    cursors: CursorStore,
    observer: IngestObserver,
    stop: asyncio.Event,
) -> tuple[tuple[Cursor, int] | None] | None:
    """The stored cursor, in a tuple; None where the process is told to end."""
    raw = settings.kafka.topics.raw
    while not stop.is_set():
        try:
            await producer.start()
            if raw not in await producer.topics():
                raise UserError(
                    f"Kafka has no topic {raw}: create it, or run `streams check --create-topics`"
                )
            await cursors.ensure()
            return (await cursors.load(),)
        except (KafkaError, OSError, TimeoutError) as error:
            observer.kafka_failed(str(unreachable(settings.kafka, error)))
            await producer.stop()
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), _RETRY_SECONDS)
    return None


def _producer(settings: Settings) -> AIOKafkaProducer:
    options = {**client_options(settings.kafka), **PRODUCER}
    options["max_request_size"] = max(
        PRODUCER["max_request_size"], settings.kafka.max_record_bytes + 65_536
    )
    return AIOKafkaProducer(**options)
