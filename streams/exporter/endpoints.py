"""One table of what the API has: its routes, its checks and its OpenAPI are made from it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from hashlib import blake2b
from typing import Any, Final, NamedTuple

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from streams.exporter.access import Access
from streams.exporter.parameters import Query, parse
from streams.exporter.sharing import Shared

_ETAG_BYTES: Final = 12


class Endpoint(NamedTuple):
    """`answer` gets the request and the query, checked, and gives a `document`; it looks at nothing
    of the request but its path.

    `path` has no prefix; `missing`: what is not there where it answers 404; `guarded`: whether it
    wants the token; `streams`: whether it looks at headers, too, and may give a response by itself
    (server-sent events), or a document that is JSON already.
    """

    path: str
    summary: str
    query: type[Query]
    answer: Callable[[Request, Any], Awaitable[Any]]
    document: Any
    missing: str | None = None
    guarded: bool = False
    streams: bool = False


def route(endpoint: Endpoint, access: Access, shared: Shared) -> Route:
    """GET and HEAD of an endpoint."""
    private = endpoint.guarded and access.closed

    async def answer(request: Request) -> Response:
        if endpoint.guarded:
            access.check(request)
        query = parse(request, endpoint.query)
        if endpoint.streams:
            found = await endpoint.answer(request, query)
            if isinstance(found, Response):
                return found
            body = found if isinstance(found, bytes) else orjson.dumps(found)
            return json_response(request, body, private=private)

        async def make() -> bytes:
            return orjson.dumps(await endpoint.answer(request, query))

        body = await shared.get((request.url.path, query), make)
        return json_response(request, body, private=private)

    return Route(endpoint.path, answer)


def json_response(request: Request, body: bytes, *, private: bool) -> Response:
    """JSON that a cache may keep, and has to ask about: 304 where the caller has the same."""
    # Weak: the same whether it is sent compressed or not.
    etag = f'W/"{blake2b(body, digest_size=_ETAG_BYTES).hexdigest()}"'
    headers = {
        "etag": etag,
        "cache-control": "private, no-cache" if private else "no-cache",
        "x-content-type-options": "nosniff",
    }
    known = request.headers.get("if-none-match", "")
    if known.strip() == "*" or etag in (one.strip() for one in known.split(",")):
        return Response(status_code=304, headers=headers)
    return Response(body, media_type="application/json", headers=headers)
