"""The exporter: metrics, API and page, from one snapshot."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

import uvicorn
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from sse_starlette.sse import AppStatus
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route

from streams import campaigns
from streams.config import Settings
from streams.exporter.api import Api
from streams.exporter.events_api import EventsApi
from streams.exporter.exposition import Exposition
from streams.exporter.feed import Feed
from streams.exporter.live import LiveApi
from streams.exporter.minutely import Minutely
from streams.exporter.pages import page_routes
from streams.exporter.problems import HANDLERS
from streams.exporter.watch import Watch
from streams.health import listen
from streams.keys import Layout
from streams.redis_client import connect
from streams.store.events import EventStore
from streams.store.reads import Reader

log: Final = logging.getLogger(__name__)

_PROBE_SECONDS: Final = 2.0
_STOP_SECONDS: Final = 2
_READ_RETRIES: Final = 2
_AT_ONCE: Final = 1000  # requests; more are answered 503


def build_app(watch: Watch, exposition: Exposition, feed: Feed) -> Starlette:
    """The ASGI app; `watch` and `feed` have to be run beside it."""

    async def metrics(_: Request) -> Response:
        return Response(exposition.text(), headers={"content-type": CONTENT_TYPE_LATEST})

    async def healthz(_: Request) -> Response:
        return PlainTextResponse("alive\n")

    async def readyz(_: Request) -> Response:
        try:
            await asyncio.wait_for(watch.reader.ping(), _PROBE_SECONDS)
        except Exception as error:  # whatever it is, Redis does not answer
            reason = f"Redis does not answer: {type(error).__name__}\n"
            return PlainTextResponse(reason, status_code=503)
        return PlainTextResponse("ready\n")

    return Starlette(
        routes=[
            Route("/metrics", metrics),
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            Mount(
                "/api/v1",
                routes=[
                    *Api(watch).routes(),
                    *EventsApi(feed).routes(),
                    *LiveApi(watch).routes(),
                ],
            ),
            *page_routes(),
        ],
        exception_handlers=HANDLERS,
    )


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals are handled by `serve_exporter`: uvicorn would end with the signal's status."""
        yield


def _end(server: uvicorn.Server) -> None:
    AppStatus.should_exit = True  # ends the event streams; uvicorn would wait for them
    server.should_exit = True


async def _cancelled(tasks: list[asyncio.Task[None]]) -> None:
    """Cancel until it has worked: redis-py now and then turns a cancellation into an error of its
    own, and these tasks live through errors."""
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=0.2)


async def serve_exporter(settings: Settings) -> int:
    """Serve until SIGTERM or SIGINT; the exit status, 0.

    Redis may come and go.  Raises `UserError` where the port is taken or a campaign file is wrong.
    """
    known = [campaigns.load(name) for name in settings.campaigns]
    options = settings.exporter
    listener = listen(options.host, options.port, "exporter.port")
    redis = connect(settings.redis, retries=_READ_RETRIES)
    exposition = Exposition()
    layout = Layout(settings.redis.prefix)
    reader, events = Reader(redis, layout), EventStore(redis, layout)
    feed = Feed(events)
    watch = Watch(
        reader,
        exposition,
        campaigns=known,
        top=options.top,
        clock=options.clock,
    )
    config = uvicorn.Config(
        build_app(watch, exposition, feed),
        log_config=None,
        access_log=False,
        lifespan="off",
        server_header=False,
        limit_concurrency=_AT_ONCE,
        timeout_graceful_shutdown=_STOP_SECONDS,
    )
    server = _Server(config)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _end, server)
    log.info("page, API and metrics on http://%s:%d/", options.host, listener.getsockname()[1])
    beside = [
        asyncio.create_task(work)
        for work in (
            watch.run(options.interval),
            Minutely(reader, events).run(watch),
            feed.run(),
        )
    ]
    try:
        await server.serve(sockets=[listener])
    finally:
        await _cancelled(beside)
        with suppress(Exception):
            await asyncio.wait_for(redis.aclose(), 1)
    return 0
