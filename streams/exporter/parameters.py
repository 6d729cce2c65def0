"""What callers may ask, as types: they check the query and are what OpenAPI is made from."""

from __future__ import annotations

from typing import Annotated, Final, Literal, TypeAlias, TypeVar

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
    """Raises `Problem` for wrong values."""
    for name, text in given.items():
        # A lax conversion takes more spellings of a number, and `null`, than we want to promise.
        if name in _NUMBERS and not (text.isascii() and text.isdecimal() and len(text) < 10):
            raise Problem(400, f"{name}: a whole number")
        if name not in _NUMBERS and "\x00" in text:
            raise Problem(400, f"{name}: has a NUL")
    values = {name: int(text) if name in _NUMBERS else text for name, text in given.items()}
    try:
        return msgspec.convert(values, kind)
    except msgspec.ValidationError as error:
        said, _, name = str(error).rstrip("`").rpartition(" - at `$.")
        if name in _OPTIONS:
            raise Problem(400, f"{name}: take one of {', '.join(_OPTIONS[name])}") from None
        raise Problem(400, f"{name}: {said[:1].lower()}{said[1:]}") from None


_NUMBERS: Final = frozenset({"top", "limit"})


def _options() -> dict[str, tuple[str, ...]]:
    """Names of parameters that have few values, and these."""
    found: dict[str, tuple[str, ...]] = {}
    for kind in (SeriesQuery, LiveQuery, HashtagsQuery, PostsQuery, EventsQuery):
        for name, schema in msgspec.json.schema_components([kind])[1][kind.__name__][
            "properties"
        ].items():
            choices = schema.get("enum") or next(
                (one["enum"] for one in schema.get("anyOf", ()) if "enum" in one), ()
            )
            if choices:
                found[name] = tuple(str(choice) for choice in choices if choice is not None)
    return found


_OPTIONS: Final = _options()
