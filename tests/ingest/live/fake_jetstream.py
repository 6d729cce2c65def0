"""A Jetstream with a log of its own, which can be as bad as the network."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import orjson
import zstandard
from aiohttp import WSMsgType, web
from multidict import MultiDict

from tests.posts.samples_bluesky import TIME_US, commit, event, post


def events(n: int, step_us: int = 10_000) -> list[bytes]:
    """Different posts, `step_us` apart."""
    return [
        orjson.dumps(
            event(commit(post(text=f"post {k}"), rkey=f"k{k:06d}"), time_us=TIME_US + k * step_us)
        )
        for k in range(n)
    ]


@dataclass
class Plan:
    """How one connection goes."""

    status: int = 101
    headers: dict[str, str] = field(default_factory=dict)
    cut_after: int | None = None  # events; then the connection is gone without a word
    close_after: int | None = None  # events; then it is closed in order
    half_open_after: int | None = None  # events; then nothing comes, and no ping is answered
    repeat: int = 1  # how often each event is sent
    shuffle: int = 1  # so many events that follow each other come in reverse order


class FakeJetstream:
    """Plans are used one a connection; then all goes well."""

    def __init__(self, log: list[bytes], plans: list[Plan] | None = None) -> None:
        self.log = log
        self.plans = plans or []
        self.queries: list[MultiDict[str]] = []
        self.dictionary: zstandard.ZstdCompressionDict | None = None

    @property
    def route(self) -> web.RouteDef:
        return web.get("/subscribe", self._subscribe)

    async def _subscribe(self, request: web.Request) -> web.StreamResponse:
        self.queries.append(MultiDict(request.query))
        plan = self.plans.pop(0) if self.plans else Plan()
        if plan.status != 101:
            return web.Response(status=plan.status, headers=plan.headers, text="not now")
        socket = web.WebSocketResponse(autoping=plan.half_open_after is None)
        await socket.prepare(request)
        after = int(request.query.get("cursor", 0))
        log = [line for line in self.log if orjson.loads(line)["time_us"] > after]
        ends = [
            n for n in (plan.cut_after, plan.close_after, plan.half_open_after) if n is not None
        ]
        order = [
            line
            for start in range(0, len(log), plan.shuffle)
            for line in reversed(log[start : start + plan.shuffle])
        ]
        for line in order[: min(ends, default=len(log))]:
            for _ in range(plan.repeat):
                await self._send(socket, request, line)
        if plan.cut_after is not None and request.transport is not None:
            request.transport.abort()
        elif plan.close_after is not None:
            await socket.close(code=1001)
        elif plan.half_open_after is not None:
            await asyncio.sleep(60)
        else:
            async for message in socket:
                assert message.type is not WSMsgType.TEXT
        return socket

    async def _send(self, socket: web.WebSocketResponse, request: web.Request, line: bytes) -> None:
        if request.query.get("compress") == "true":
            assert self.dictionary is not None
            compressor = zstandard.ZstdCompressor(dict_data=self.dictionary)
            await socket.send_bytes(compressor.compress(line))
        else:
            await socket.send_str(line.decode())
