"""X's filtered stream and its rules."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import orjson
from aiohttp import web


def posts(n: int) -> list[bytes]:
    """Different ones, as the stream sends them."""
    return [
        orjson.dumps(
            {
                "data": {
                    "id": str(919_660_000_000_000_000 + k),
                    "text": f"Me too. {k}",
                    "author_id": "1",
                    "created_at": "2017-10-15T20:21:11.000Z",
                    "edit_history_tweet_ids": [str(919_660_000_000_000_000 + k)],
                },
                "matching_rules": [{"id": "1", "tag": "streams:metoo"}],
            }
        )
        for k in range(n)
    ]


FAREWELL = orjson.dumps(
    {
        "errors": [
            {
                "title": "operational-disconnect",
                "disconnect_type": "UpstreamOperationalDisconnect",
                "detail": "This stream has been disconnected upstream for operational reasons.",
            }
        ]
    }
)


@dataclass
class Plan:
    """How one connection goes."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: str = "not now"
    live: int = 0  # posts that come while it is connected
    cut: bool = False  # then it is gone in the middle of a line
    silent: bool = False  # then nothing comes, no heartbeat either
    farewell: bool = False
    chunk: int = 1 << 16


class FakeX:
    """`missed` posts appear between two connections; they come with `backfill_minutes` only, and
    with them all before, again: the log is younger than a minute, and a cut takes of a connection
    whatever its reader had not read yet, all of it where the reader is slow."""

    def __init__(self, log: list[bytes], plans: list[Plan] | None = None, missed: int = 0) -> None:
        self.log = log
        self.plans = plans or []
        self.missed = missed
        self.visible = 0
        self.queries: list[dict[str, str]] = []
        self.authorization: set[str | None] = set()
        self.rules: dict[str, dict[str, Any]] = {}
        self.calls: list[str] = []
        self.refuse_rules: list[int] = []  # statuses of the next answers
        self._numbers = 0

    @property
    def routes(self) -> list[web.RouteDef]:
        path = "/2/tweets/search/stream"
        return [
            web.get(path, self._stream),
            web.get(f"{path}/rules", self._list),
            web.post(f"{path}/rules", self._change),
        ]

    async def _list(self, request: web.Request) -> web.Response:
        self.authorization.add(request.headers.get("Authorization"))
        if self.refuse_rules:
            return web.Response(status=self.refuse_rules.pop(0), headers={"Retry-After": "0"})
        return web.json_response({"data": list(self.rules.values()), "meta": {}})

    async def _change(self, request: web.Request) -> web.Response:
        body = await request.json()
        errors = []
        for rule in body.get("add", ()):
            if any(known["value"] == rule["value"] for known in self.rules.values()):
                errors.append({"title": "DuplicateRule", "value": rule["value"]})
                continue
            if len(rule["value"]) > 512 or rule["value"].startswith("#bad"):
                errors.append({"title": "UnprocessableEntity", "value": rule["value"]})
                continue
            self._numbers += 1
            self.rules[str(self._numbers)] = {"id": str(self._numbers), **rule}
        for number in body.get("delete", {}).get("ids", ()):
            del self.rules[number]
        self.calls += body
        return web.json_response({"meta": {}} | ({"errors": errors} if errors else {}), status=201)

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        self.authorization.add(request.headers.get("Authorization"))
        self.queries.append(dict(request.query))
        plan = self.plans.pop(0) if self.plans else Plan(live=len(self.log))
        if plan.status != 200:
            return web.Response(status=plan.status, headers=plan.headers, text=plan.body)
        response = web.StreamResponse()
        await response.prepare(request)
        begin = 0 if "backfill_minutes" in request.query else self.visible
        live = self.log[begin : self.visible + plan.live]
        self.visible = begin + len(live)
        stream = b"\r\n" + b"".join(line + b"\r\n" for line in live)
        if plan.farewell:
            stream += FAREWELL + b"\r\n"
        if plan.cut and live:
            stream += live[0][:50]
        for start in range(0, len(stream), plan.chunk):
            await response.write(stream[start : start + plan.chunk])
        if plan.cut or plan.silent or plan.farewell:
            self.visible += self.missed
        if plan.cut and request.transport is not None:
            request.transport.abort()
        elif plan.silent:
            await asyncio.sleep(60)
        elif not plan.farewell:
            while True:
                await response.write(b"\r\n")
                await asyncio.sleep(0.1)
        return response
