"""What all answers of the API have in common: checked parameters, JSON that nobody keeps."""

from __future__ import annotations

import orjson
from starlette.requests import Request
from starlette.responses import Response

from streams.exporter.problems import Problem


def json_response(document: object) -> Response:
    return Response(
        orjson.dumps(document),
        media_type="application/json",
        headers={"cache-control": "no-store", "x-content-type-options": "nosniff"},
    )


def only(request: Request, *names: str) -> None:
    """Refuse other parameters than these, and any that stands twice."""
    for name in request.query_params:
        if name not in names:
            raise Problem(400, f"no parameter {name[:40]!r} here")
    for name in names:
        if len(request.query_params.getlist(name)) > 1:
            raise Problem(400, f"{name}: stands twice")


def integer(request: Request, name: str, default: int, low: int, high: int) -> int:
    """A whole number in the range; raises `Problem` for anything else."""
    text = request.query_params.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdecimal() and len(text) < 10 and low <= int(text) <= high):
        raise Problem(400, f"{name}: a whole number from {low} to {high}")
    return int(text)
