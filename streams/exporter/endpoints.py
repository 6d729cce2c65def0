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

_ETAG_BYTES: Final = 12


class Endpoint(NamedTuple):
    """`answer` gets the request and the query, checked; `document` is the type of what it answers,
    or it answers a response by itself.

    `path` has no prefix; `missing`: what is not there where it answers 404; `redis`: whether it may
    find Redis gone, or not read yet; `guarded`: whether it wants the token; `streams`: whether it
    may answer server-sent events as well.
    """

    path: str
    summary: str
    query: type[Query]
    answer: Callable[[Request, Any], Awaitable[Any]]
    document: Any
    missing: str | None = None
    guarded: bool = False
    streams: bool = False


def route(endpoint: Endpoint, access: Access) -> Route:
    """GET and HEAD of an endpoint."""

    async def answer(request: Request) -> Response:
        if endpoint.guarded:
            access.check(request)
        found = await endpoint.answer(request, parse(request, endpoint.query))
        if isinstance(found, Response):
            return found
        return json_response(request, found, private=endpoint.guarded and access.closed)

    return Route(endpoint.path, answer)


def json_response(request: Request, document: object, *, private: bool = False) -> Response:
    """JSON that a cache may keep, and has to ask about: 304 where the caller has the same."""
    body = orjson.dumps(document)
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
