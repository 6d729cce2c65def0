"""OpenAPI 3.1 of the API, made from its own table of endpoints.

msgspec makes the JSON schemas, as it checks the queries; libraries that bring their own models,
errors and checks (spectree, apispec, FastAPI) would say the same things a second time.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable
from typing import Any, Final

import msgspec

from streams import __version__
from streams.exporter.endpoints import Endpoint
from streams.exporter.models import ProblemDetails
from streams.exporter.parameters import Name, given

_REFS: Final = "#/components/schemas/{name}"
_IN_PATH: Final = re.compile(r"{(\w+)}")
_REASONS: Final = {
    400: "A parameter is unknown, stands twice, or has a value that is not taken.",
    401: "The token is missing or wrong.",
    503: "Redis does not answer, or was not read yet.",
}


def openapi(endpoints: Iterable[Endpoint], prefix: str, *, guarded: bool) -> dict[str, Any]:
    """The document; `guarded` says whether a token is asked for where one can be."""
    listed = list(endpoints)
    documents = [endpoint.document for endpoint in listed]
    answers, components = msgspec.json.schema_components(
        [*documents, ProblemDetails, Name], ref_template=_REFS
    )
    *bodies, problem, name = answers
    paths = {}
    for endpoint, body in zip(listed, bodies, strict=True):
        closed = endpoint.guarded and guarded
        found: dict[str, Any] = {
            "operationId": endpoint.path.strip("/").replace("/", "-").translate(_PLAIN),
            "summary": endpoint.summary,
            "parameters": [
                *(_in_path(place, name) for place in _IN_PATH.findall(endpoint.path)),
                *_in_query(endpoint),
            ],
            "responses": _responses(endpoint, body, problem, closed=closed),
        }
        if closed:
            found["security"] = [{"token": []}]
        paths[prefix + endpoint.path] = {"get": found}
    components = {"schemas": components}
    if guarded:
        components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "streams",
            "version": __version__,
            "summary": "How a hashtag campaign spreads: exact, live numbers.",
            "description": "Times are ms since 1970, velocities posts per second. Names may be "
            "added to answers.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": components,
    }


_PLAIN: Final = str.maketrans("", "", "{}")


def _in_path(place: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"name": place, "in": "path", "required": True, "schema": schema}


def _in_query(endpoint: Endpoint) -> list[dict[str, Any]]:
    _, found = msgspec.json.schema_components([endpoint.query])
    properties: dict[str, dict[str, Any]] = found[endpoint.query.__name__]["properties"]
    parameters = []
    for name, schema in properties.items():
        described = {key: text for key, text in schema.items() if key == "description"}
        rest = {key: value for key, value in schema.items() if key != "description"}
        parameters.append({"name": name, "in": "query", **described, "schema": given(rest)})
    return parameters


def _responses(
    endpoint: Endpoint, body: dict[str, Any], problem: dict[str, Any], *, closed: bool
) -> dict[str, Any]:
    content: dict[str, Any] = {"application/json": {"schema": body}}
    if endpoint.streams:
        content["text/event-stream"] = {"schema": {"type": "string"}}
    described = inspect.getdoc(endpoint.document) or endpoint.summary
    reasons = {code: text for code, text in _REASONS.items() if code != 401 or closed}
    if endpoint.missing is not None:
        reasons[404] = endpoint.missing
    return {
        "200": {
            "description": described,
            "headers": {"etag": {"schema": {"type": "string"}}},
            "content": content,
        },
        "304": {"description": "What the caller has (If-None-Match) is the newest."},
        **{
            str(code): {
                "description": text,
                "content": {"application/problem+json": {"schema": problem}},
            }
            for code, text in sorted(reasons.items())
        },
    }
