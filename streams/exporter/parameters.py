"""What callers may ask, as types: they check the query and are what OpenAPI is made from."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any, Final, Literal, TypeAlias, TypeVar

import msgspec
from msgspec import Meta
from starlette.requests import Request

from streams.events import Kind
from streams.exporter.problems import Problem

WindowName: TypeAlias = Literal["1m", "5m", "15m", "1h", "24h"]
StepName: TypeAlias = Literal["10s", "1m", "1h"]
Name: TypeAlias = Annotated[str, Meta(min_length=1, max_length=300)]
Lang: TypeAlias = Annotated[str, Meta(pattern="^[A-Za-z]{2,8}$")]
PageCursor: TypeAlias = Annotated[str, Meta(min_length=1, max_length=1_000)]
EventCursor: TypeAlias = Annotated[str, Meta(pattern="^[0-9]{1,18}-[0-9]{1,18}$")]

MOST_TOP: Final = 500
MOST_EVENTS: Final = 1_000
MOST_POSTS: Final = 500


class Query(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """No parameters."""


class SeriesQuery(Query, frozen=True, kw_only=True):
    """Window and step of a series; a step that is not given fits the window."""

    window: Annotated[WindowName, Meta(description="how much of the newest time")] = "1h"
    step: Annotated[StepName | None, Meta(description="length of a bucket")] = None


class LiveQuery(Query, frozen=True, kw_only=True):
    """What is looked at."""

    campaign: Annotated[Name | None, Meta(description="default: the one with the most posts")] = (
        None
    )
    window: Annotated[Literal["1h", "24h"], Meta(description="of shares and curve")] = "1h"


class HashtagsQuery(Query, frozen=True, kw_only=True):
    """Which hashtags are listed."""

    window: Annotated[WindowName, Meta(description="posts of this window are counted")] = "1h"
    top: Annotated[int, Meta(ge=1, le=MOST_TOP, description="how many")] = 20
    by: Annotated[
        Literal["posts", "burst"], Meta(description="ordered by posts or by burst score")
    ] = "posts"


class PostsQuery(Query, frozen=True, kw_only=True):
    """Which posts are listed, newest first."""

    hashtag: Annotated[Name | None, Meta(description="with or without #")] = None
    campaign: Annotated[Name | None, Meta(description="default: all campaigns")] = None
    lang: Annotated[Lang | None, Meta(description="BCP 47 primary tag, or und")] = None
    platform: Literal["x", "mastodon", "bluesky", "facebook"] | None = None
    via: Literal["hashtag", "phrase", "call", "reply", "repost"] | None = None
    stance: (
        Literal["testimony", "support", "call", "news", "opposition", "spam", "unclear"] | None
    ) = None
    words: Annotated[
        Name | None,
        Meta(description="words that a text has; only where texts are kept (privacy.keep_text)"),
    ] = None
    before: Annotated[PageCursor | None, Meta(description="`next` of the page before")] = None
    limit: Annotated[int, Meta(ge=1, le=MOST_POSTS, description="posts of a page")] = 50


class EventsQuery(Query, frozen=True, kw_only=True):
    """Which events are sent or listed."""

    campaign: Annotated[Name | None, Meta(description="default: all campaigns")] = None
    kind: Annotated[Kind | None, Meta(description="default: all kinds")] = None
    after: Annotated[
        EventCursor | None,
        Meta(description="cursor of an event: those after it; `Last-Event-ID` wins over it"),
    ] = None
    limit: Annotated[
        int, Meta(ge=1, le=MOST_EVENTS, description="events of a list; a stream has no end")
    ] = 100
    each: Annotated[
        int, Meta(ge=1, le=MOST_EVENTS, description="events of a list, of each kind")
    ] = MOST_EVENTS


Q = TypeVar("Q", bound=Query)


def parse(request: Request, kind: type[Q]) -> Q:
    """The query, checked.  Raises `Problem` for unknown, repeated and wrong parameters."""
    given: dict[str, str] = {}
    for name, text in request.query_params.multi_items():
        if name not in kind.__struct_fields__:
            raise Problem(400, f"no parameter {name[:40]!r} here")
        if name in given:
            raise Problem(400, f"{name}: stands twice")
        given[name] = text
    return convert(given, kind)


def convert(given: dict[str, str], kind: type[Q]) -> Q:
    """Raises `Problem` for wrong values, and says which are right."""
    schemas = _schemas(kind)
    values: dict[str, str | int] = {}
    for name, text in given.items():
        if "\x00" in text or "\ufffd" in text:  # the latter stands for what was no UTF-8
            raise Problem(400, f"{name}: has a NUL, or is no UTF-8")
        number = schemas[name].get("type") == "integer"
        # A lax conversion takes more spellings of a number, and `null`, than we want to promise.
        if number and not (text.isascii() and text.isdecimal() and len(text) < 10):
            raise Problem(400, f"{name}: {_wanted(schemas[name])}")
        values[name] = int(text) if number else text
    try:
        return msgspec.convert(values, kind)
    except msgspec.ValidationError as error:
        name = str(error).rstrip("`").rpartition(" - at `$.")[2]
        raise Problem(400, f"{name}: {_wanted(schemas[name])}") from None


def _wanted(schema: dict[str, Any]) -> str:
    """What a parameter takes, in words."""
    if "enum" in schema:
        return f"take one of {', '.join(schema['enum'])}"
    if schema.get("type") == "integer":
        return f"a whole number from {schema['minimum']} to {schema['maximum']}"
    if "pattern" in schema:
        return f"has to be as {schema['pattern']}"
    return f"{schema['minLength']} to {schema['maxLength']} characters"


@cache
def _schemas(kind: type[Query]) -> dict[str, dict[str, Any]]:
    """By parameter, the JSON schema of its values."""
    _, found = msgspec.json.schema_components([kind])
    return {name: given(schema) for name, schema in found[kind.__name__]["properties"].items()}


def given(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of a parameter that is given: a query cannot say null."""
    if schema.get("default", 0) is None:
        schema = {key: value for key, value in schema.items() if key != "default"}
    if "anyOf" in schema:
        [one] = [one for one in schema["anyOf"] if one != {"type": "null"}]
        schema = {**{key: value for key, value in schema.items() if key != "anyOf"}, **one}
    if "enum" in schema:
        schema = {**schema, "enum": [one for one in schema["enum"] if one is not None]}
    return schema
