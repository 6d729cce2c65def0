"""Errors of the API: problem JSON (RFC 9457)."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any, Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

from streams.exporter.watch import UNUSABLE

log: Final = logging.getLogger(__name__)


class Problem(HTTPException):
    """An error with an explanation for the caller."""


class ProblemResponse(JSONResponse):
    media_type = "application/problem+json"


def problem(status: int, detail: str | None = None) -> ProblemResponse:
    """`type` is left at its default, `about:blank`: the status says it all."""
    title = HTTPStatus(status).phrase
    document: dict[str, Any] = {"title": title, "status": status}
    if detail and detail != title:
        document["detail"] = detail
    return ProblemResponse(document, status_code=status)


async def on_http_error(_: Request, error: Exception) -> ProblemResponse:
    status = error.status_code if isinstance(error, HTTPException) else 500
    response = problem(status, error.detail if isinstance(error, HTTPException) else None)
    if isinstance(error, HTTPException) and error.headers:
        response.headers.update(error.headers)
    return response


async def on_unusable_redis(_: Request, error: Exception) -> ProblemResponse:
    log.warning("an answer failed: %s: %s", type(error).__name__, error)
    return problem(503, "Redis does not answer")


async def on_bug(_: Request, error: Exception) -> ProblemResponse:
    return problem(500)


HANDLERS: Final[dict[Any, Any]] = {
    HTTPException: on_http_error,
    **dict.fromkeys(UNUSABLE, on_unusable_redis),
    Exception: on_bug,
}
