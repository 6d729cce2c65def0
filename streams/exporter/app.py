"""The exporter: metrics, API and page, from one snapshot."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Final

import orjson
import uvicorn
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from sse_starlette.sse import AppStatus
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route

from streams import campaigns
from streams.config import ExporterSettings, Settings
from streams.exporter.access import Access
from streams.exporter.api import Api
from streams.exporter.endpoints import route
from streams.exporter.events_api import EventsApi
from streams.exporter.exposition import Exposition
from streams.exporter.feed import Feed
from streams.exporter.live import LiveApi
from streams.exporter.minutely import Minutely
from streams.exporter.openapi import openapi
from streams.exporter.pages import page_routes
from streams.exporter.posts_api import PostsApi
from streams.exporter.problems import HANDLERS
from streams.exporter.sharing import Shared
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
_API: Final = "/api/v1"
_GZIP_BYTES: Final = 1_000
_GZIP_LEVEL: Final = 4  # a third of the CPU of 9, for a twentieth more bytes


def build_app(
    watch: Watch,
    exposition: Exposition,
    feed: Feed,
    posts: PostsApi,
    options: ExporterSettings | None = None,
) -> Starlette:
    """The ASGI app; `watch` and `feed` have to be run beside it."""
    options = options or ExporterSettings()
    access = Access(None if options.token is None else options.token.get_secret_value())
    endpoints = [
        *Api(watch).endpoints(),
        *LiveApi(watch, closed=access.closed).endpoints(),
        *posts.endpoints(),
        *EventsApi(feed, watch).endpoints(),
    ]
    shared = Shared()
    described = orjson.dumps(openapi(endpoints, _API, guarded=access.closed))

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

    async def api(_: Request) -> Response:
        headers = {"cache-control": "no-cache"}
        return Response(described, media_type="application/json", headers=headers)

    return Starlette(
        routes=[
            Route("/metrics", metrics),
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            Route("/api/openapi.json", api),
            Mount(_API, routes=[route(endpoint, access, shared) for endpoint in endpoints]),
            *page_routes(),
        ],
        middleware=[
            *_cross_origin(options.cors_origins),
            Middleware(GZipMiddleware, minimum_size=_GZIP_BYTES, compresslevel=_GZIP_LEVEL),
        ],
        exception_handlers=HANDLERS,
    )


def _cross_origin(origins: Sequence[str]) -> list[Middleware]:
    """Pages of other origins may read the API where they are named; else no browser lets them."""
    if not origins:
        return []
    return [
        Middleware(
            CORSMiddleware,
            allow_origins=list(origins),
            allow_methods=["GET"],
            allow_headers=["Authorization", "If-None-Match", "Last-Event-ID"],
            expose_headers=["ETag"],
        )
    ]


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
    posts = PostsApi(reader, settings.posts.keeping(text=settings.privacy.keep_text))
    config = uvicorn.Config(
        build_app(watch, exposition, feed, posts, options),
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
            watch.run(options.interval, options.live_interval),
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
