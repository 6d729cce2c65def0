"""The live page's files: plain HTML, CSS and ES modules, as they lie in `page/`."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

_INDEX: Final = "index.html"
_MEDIA: Final = {
    "css": "text/css; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}
# Nothing but the exporter's own scripts, styles and API, none of them inline; no frame around it.
_HEADERS: Final = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-cache",
}


def page_routes() -> list[Route]:
    """`/`, and each file that the page is made of; read once."""
    page = files("streams.exporter") / "page"
    return [_route("/", page / _INDEX)] + [
        _route(f"/page/{path}", file) for path, file in _assets(page) if path != _INDEX
    ]


def _assets(folder: Traversable, prefix: str = "") -> Iterator[tuple[str, Traversable]]:
    for found in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if found.is_dir():
            yield from _assets(found, f"{prefix}{found.name}/")
        elif found.name.rpartition(".")[2] in _MEDIA:
            yield f"{prefix}{found.name}", found


def _route(path: str, file: Traversable) -> Route:
    content = file.read_bytes()
    headers = {**_HEADERS, "content-type": _MEDIA[file.name.rpartition(".")[2]]}

    async def answer(_: Request) -> Response:
        return Response(content, headers=headers)

    return Route(path, answer)
