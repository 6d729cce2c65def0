"""A worker's `/metrics`, `/healthz`, `/startupz` and `/readyz`, on a port of its own."""

from __future__ import annotations

import asyncio
import socket
import time
from contextlib import AbstractContextManager, nullcontext, suppress
from typing import TYPE_CHECKING, Any, Final, Protocol

import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from streams.errors import UserError
from streams.worker_metrics import REGISTRY

if TYPE_CHECKING:
    from streams.worker import Worker

_PROBE_SECONDS: Final = 2.0


class Health:
    """Tells whether the worker is ready: assigned, Redis and Kafka answering, nothing stuck."""

    def __init__(self, max_age: float) -> None:
        self._max_age = max_age
        self._worker: Worker | None = None
        self._redis: Any = None

    def watch(self, worker: Worker, redis: Any) -> None:
        self._worker = worker
        self._redis = redis

    @property
    def started(self) -> bool:
        """Whether an assignment was ever received: what a startup probe asks, once."""
        return self._worker is not None and self._worker.assigned_once

    async def reasons(self) -> list[str]:
        """Why it is not ready, one line each; empty when it is."""
        worker = self._worker
        if worker is None:
            return ["starting: Kafka has not answered yet"]
        reasons = []
        if not worker.assigned_once:
            reasons.append("no assignment received yet")
        if worker.stopping:
            reasons.append("stopping")
        try:
            await asyncio.wait_for(self._redis.ping(), _PROBE_SECONDS)
        except Exception as error:  # whatever it is, Redis does not answer
            reasons.append(f"Redis does not answer: {type(error).__name__}")
        if not await worker.kafka_answers(_PROBE_SECONDS):
            reasons.append("Kafka does not answer")
        return reasons + self._stuck(worker)

    def _stuck(self, worker: Worker) -> list[str]:
        """What is tried for longer than `commit.max_age`, with the error of the last try."""
        now = time.monotonic()
        reasons = []
        for partition in worker.partitions.values():
            if partition.paused:
                reasons.append(f"{partition.name} is paused: {partition.paused}")
                continue
            why = f" ({partition.waits.reason})" if partition.waits else ""
            age = now - (partition.busy_since or now)
            if age > self._max_age:
                reasons.append(f"{partition.name}: a batch is uncommitted for {age:.0f} s{why}")
            elif partition.waits and now - partition.waits.since > self._max_age:
                reasons.append(
                    f"{partition.name} waits for {now - partition.waits.since:.0f} s{why}"
                )
        others = [(f"{tp.topic}:{tp.partition}", f.waits) for tp, f in worker.forwarders.items()]
        for name, waits in [*others, ("the watchdog", worker.waits)]:
            if waits and now - waits.since > self._max_age:
                reasons.append(f"{name} waits for {now - waits.since:.0f} s ({waits.reason})")
        return reasons


class HealthServer:
    """A uvicorn server inside the worker's event loop."""

    def __init__(self, server: uvicorn.Server, task: asyncio.Task[None], port: int) -> None:
        self.port = port
        self._server = server
        self._task = task

    async def stop(self) -> None:
        self._server.should_exit = True
        with suppress(TimeoutError, asyncio.CancelledError):
            await asyncio.wait_for(self._task, 2)


class Ready(Protocol):
    """Says whether a process has started, and why it is not ready."""

    @property
    def started(self) -> bool: ...

    async def reasons(self) -> list[str]: ...


async def serve_health(
    host: str,
    port: int,
    health: Ready,
    *,
    registry: CollectorRegistry = REGISTRY,
    setting: str = "worker.port",
) -> HealthServer:
    """Start serving; port 0 takes a free one.  Raises `UserError` where the port is taken."""

    async def metrics(_: Request) -> Response:
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)

    async def healthz(_: Request) -> Response:
        return PlainTextResponse("alive\n")

    async def startupz(_: Request) -> Response:
        if health.started:
            return PlainTextResponse("started\n")
        reasons = await health.reasons()
        return PlainTextResponse("\n".join(reasons) + "\n", status_code=503)

    async def readyz(_: Request) -> Response:
        reasons = await health.reasons()
        return PlainTextResponse(
            "\n".join(reasons or ["ready"]) + "\n", status_code=503 if reasons else 200
        )

    listener = listen(host, port, setting)
    app = Starlette(
        routes=[
            Route("/metrics", metrics),
            Route("/healthz", healthz),
            Route("/startupz", startupz),
            Route("/readyz", readyz),
        ]
    )
    return serve(listener, app)


def serve(
    listener: socket.socket, app: Starlette, *, concurrency: int | None = None
) -> HealthServer:
    """Serve an application in this event loop; above so many requests at once it answers 503."""
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=1,
        limit_concurrency=concurrency,
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    return HealthServer(server, task, listener.getsockname()[1])


class _Server(uvicorn.Server):
    """Leaves signals to the worker."""

    def capture_signals(self) -> AbstractContextManager[None]:  # type: ignore[override]
        return nullcontext()


def listen(host: str, port: int, setting: str) -> socket.socket:
    """A listening TCP socket.  Raises `UserError`, naming the setting, where it cannot be."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise UserError(
            f"cannot listen on {host}:{port} ({error.strerror}): set {setting} to another, or 0"
        ) from error
    return listener
