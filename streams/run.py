"""The life of a worker process: wait for Kafka, start, run, and end within seconds of SIGTERM."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any, Final, cast

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from streams.app import build_app
from streams.campaigns import Campaign, load
from streams.catalog import Catalog, CatalogReader
from streams.config import Settings
from streams.errors import UserError
from streams.garbage import look_seldom
from streams.health import Health, serve_health
from streams.kafka import client_options, refusal
from streams.keys import Layout
from streams.observe import WorkerObserver
from streams.partition import RETRIED
from streams.posts.gazetteer import gazetteer
from streams.producing import LastingProducer
from streams.redis_client import Client, connect
from streams.store.commit import Redis
from streams.store.layout import take
from streams.transport import BatchConsumer
from streams.worker import Worker

_Changed = Callable[[list[Campaign]], Awaitable[None]]
_Follow = Callable[[_Changed], Awaitable[None]]
log: Final = logging.getLogger(__name__)

_RETRY_SECONDS: Final = 2.0
_BATCH_BYTES: Final = 256 * 1024  # of what is written to one partition at a time
_STOP_SECONDS: Final = 4.0  # for Faust; the batch in hand has had its time before


def _on_signals(stop: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)


async def _until(stop: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)


def _producer(settings: Settings) -> AIOKafkaProducer:
    return AIOKafkaProducer(
        **client_options(settings.kafka),
        enable_idempotence=True,
        acks="all",
        request_timeout_ms=int(settings.kafka.request_timeout * 1000),
        linger_ms=0,  # batches are built here
        max_batch_size=_BATCH_BYTES,
        metadata_max_age_ms=60_000,  # so that all workers soon agree where a uid belongs
        compression_type=settings.kafka.codec,
        max_request_size=settings.kafka.dead_record_bytes,
    )


async def _start_producer(
    settings: Settings, stop: asyncio.Event, observer: WorkerObserver
) -> LastingProducer | None:
    """A started producer; None where the process is told to stop before Kafka answers."""
    while not stop.is_set():
        producer = LastingProducer(partial(_producer, settings))
        try:
            await producer.start()
        except (KafkaError, OSError) as error:
            await producer.stop()
            observer.waiting(
                f"Kafka at {','.join(settings.kafka.brokers)} does not answer "
                f"({await refusal(settings.kafka, error)}); trying again"
            )
            await _until(stop, _RETRY_SECONDS)
        else:
            return producer
    return None


async def run_worker(settings: Settings) -> int:
    """Run until SIGTERM or SIGINT; the exit status.

    Raises `UserError` for what the user has to change: configuration, a campaign file, a busy port.
    """
    loaded = [load(name) for name in settings.campaigns]
    settings.privacy.key()
    stop = asyncio.Event()
    _on_signals(stop)
    observer = WorkerObserver()
    health = Health(settings.commit.max_age)
    await asyncio.to_thread(gazetteer)  # a second, once: not in the middle of a batch
    server = await serve_health(settings.worker.host, settings.worker.port, health)
    log.info("metrics and health on http://%s:%d", settings.worker.host, server.port)
    try:
        producer = await _start_producer(settings, stop, observer)
        if producer is None:
            return 0
        redis = connect(settings.redis)
        try:
            await _require_topics(settings, producer)
            await _take_layout(settings, redis, stop, observer)
            if stop.is_set():
                return 0
            async with _catalog(settings, loaded, stop, observer) as (campaigns, follow):
                if stop.is_set():
                    return 0
                worker = Worker(
                    settings,
                    redis=cast("Redis", redis),
                    producer=producer,
                    campaigns=campaigns,
                    observer=observer,
                )
                following = asyncio.ensure_future(follow(worker.use))
                try:
                    return await _run(worker, health, redis, stop)
                finally:
                    following.cancel()
        finally:
            with suppress(Exception):
                await asyncio.wait_for(producer.stop(), 2)
            with suppress(Exception):
                await asyncio.wait_for(redis.aclose(), 1)
    finally:
        await server.stop()


@asynccontextmanager
async def _catalog(
    settings: Settings, files: list[Campaign], stop: asyncio.Event, observer: WorkerObserver
) -> AsyncIterator[tuple[list[Campaign], _Follow]]:
    """The campaigns to begin with, and what follows their changes.  Raises `UserError`."""

    async def nothing_to_follow(_: _Changed) -> None: ...

    if settings.kafka.campaigns == "files":
        yield files, nothing_to_follow
        return
    while not stop.is_set():
        catalog = Catalog(files)
        reader = CatalogReader(settings.kafka, catalog)
        try:
            await reader.start()
        except (KafkaError, OSError) as error:
            await reader.stop()
            observer.waiting(f"campaigns topic: {type(error).__name__}")
            await _until(stop, _RETRY_SECONDS)
        except UserError:
            await reader.stop()
            raise
        else:
            try:
                yield catalog.campaigns(), reader.follow
            finally:
                await reader.stop()
            return
    yield files, nothing_to_follow


async def _require_topics(settings: Settings, producer: LastingProducer) -> None:
    """Raises `UserError` where a topic is missing: Faust would wait for it without a word."""
    topics = settings.kafka.topics
    wanted = [topics.raw, topics.classified, topics.dead]
    if settings.kafka.input == "any":
        wanted.append(topics.keyed)
    present = await producer.topics()
    missing = [topic for topic in wanted if topic not in present]
    if missing:
        raise UserError(
            f"Kafka has no topic {', '.join(missing)}: "
            "streams check --create-topics makes what is missing"
        )


async def _take_layout(
    settings: Settings, redis: Client, stop: asyncio.Event, observer: WorkerObserver
) -> None:
    """Before anything is counted: move the keys of an older layout, as soon as Redis answers.

    Raises `LayoutError` where Redis holds a newer one.
    """
    while not stop.is_set():
        try:
            return await take(redis, Layout(settings.redis.prefix))
        except RETRIED as error:
            observer.waiting(f"redis: {type(error).__name__}: {error}")
            await _until(stop, _RETRY_SECONDS)


async def _run(worker: Worker, health: Health, redis: Any, stop: asyncio.Event) -> int:
    kafka = worker.settings.kafka
    app = build_app(
        kafka,
        count=worker.count,
        forward=worker.forward if kafka.input == "any" else None,
    )
    worker.attach(cast("BatchConsumer", app.consumer))
    health.watch(worker, redis)
    await app.start()
    look_seldom()
    watch = asyncio.create_task(worker.watch())
    ended = asyncio.create_task(app.wait_until_stopped())
    told = asyncio.create_task(stop.wait())
    refused = asyncio.create_task(worker.ended.wait())
    await asyncio.wait({ended, told, refused}, return_when=asyncio.FIRST_COMPLETED)
    crashed = not stop.is_set() and worker.refused is None
    watch.cancel()
    worker.stopping = True
    await worker.drain()
    with suppress(Exception):
        await asyncio.wait_for(worker.commit_to_kafka(), 2)
    with suppress(TimeoutError):
        await asyncio.wait_for(app.stop(), _STOP_SECONDS)
    shutil.rmtree(app.conf.datadir, ignore_errors=True)  # Faust makes it, and keeps nothing in it
    if crashed:
        log.error("the worker crashed: %s", app.crash_reason)
    if worker.refused is not None:
        log.error("%s", worker.refused)
    return 1 if crashed or worker.refused else 0


def main(settings: Settings) -> None:
    """Run a worker and leave, whatever threads are still waiting for a broker that is gone."""
    status = asyncio.run(run_worker(settings))
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
