"""The API as a whole: what OpenAPI says, caching, access, and posts."""

from __future__ import annotations

import gzip
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from streams.config import ConfigError, ExporterSettings
from streams.exporter.app import build_app
from streams.exporter.exposition import Exposition
from streams.exporter.feed import Feed
from streams.exporter.posts_api import PostsApi
from streams.exporter.watch import Watch
from streams.kept import Keeping
from streams.store.events import EventStore
from streams.store.reads import Reader
from tests.exporter.asgi import Answered, get
from tests.filled import Filled

T = 1_508_158_800
MS = T * 1000
TOKEN = "a-token-of-the-tests"
Ask = Callable[..., Awaitable[Answered]]


@pytest.fixture
async def make(reader: Reader, filled: Filled) -> Callable[..., Ask]:
    filled.partition(0, watermark=T)
    filled.campaign(0, T - 30, 3)
    filled.tag(0, "metoo", T - 30, 3)
    watch = Watch(reader, Exposition(), clock="replay")
    feed = Feed(EventStore(reader._redis, filled.layout))
    await watch.read()

    def make(*, text: bool = False, **options: Any) -> Ask:
        posts = PostsApi(reader, Keeping(text=text))
        app = build_app(watch, Exposition(), feed, posts, ExporterSettings(**options))

        async def ask(url: str, method: str = "GET", **headers: str) -> Answered:
            given = {name.replace("_", "-"): text for name, text in headers.items()}
            return await get(app, url, method, given)

        return ask

    return make


async def test_openapi_names_every_endpoint(make: Callable[..., Ask]) -> None:
    document = (await make()("/api/openapi.json")).json()
    assert document["openapi"].startswith("3.1")
    assert set(document["paths"]) == {
        "/api/v1/campaigns",
        "/api/v1/campaigns/{name}",
        "/api/v1/campaigns/{name}/series",
        "/api/v1/hashtags",
        "/api/v1/hashtags/{tag}",
        "/api/v1/hashtags/{tag}/series",
        "/api/v1/live",
        "/api/v1/posts",
        "/api/v1/events",
    }
    asked = document["paths"]["/api/v1/posts"]["get"]
    assert [one["name"] for one in asked["parameters"]] == [
        *("hashtag", "campaign", "lang", "platform", "via", "stance", "words", "before", "limit")
    ]
    assert asked["parameters"][-1]["schema"] == {
        "type": "integer",
        "minimum": 1,
        "maximum": 500,
        "default": 50,
    }
    assert "security" not in asked
    closed = (await make(token=TOKEN)("/api/openapi.json")).json()
    assert closed["paths"]["/api/v1/posts"]["get"]["security"] == [{"token": []}]


async def test_who_has_the_newest_gets_304(make: Callable[..., Ask]) -> None:
    ask = make()
    first = await ask("/api/v1/campaigns/metoo")
    assert first.headers["cache-control"] == "no-cache"
    again = await ask("/api/v1/campaigns/metoo", if_none_match=f'"other", {first.headers["etag"]}')
    assert (again.status, again.body) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert (await ask("/api/v1/campaigns/metoo", if_none_match='"other"')).status == 200


async def test_gzip_where_it_is_asked_for(make: Callable[..., Ask]) -> None:
    ask = make()
    small = await ask("/api/v1/campaigns/metoo/series?window=24h&step=1m", accept_encoding="gzip")
    plain = await ask("/api/v1/campaigns/metoo/series?window=24h&step=1m")
    assert small.headers["content-encoding"] == "gzip"
    assert "accept-encoding" in small.headers["vary"].lower()
    assert gzip.decompress(small.body) == plain.body
    assert len(small.body) < len(plain.body) / 4
    assert small.headers["etag"] == plain.headers["etag"]


async def test_other_origins_are_let_in_by_name_only(make: Callable[..., Ask]) -> None:
    page = "https://news.example"
    off = await make()("/api/v1/campaigns", origin=page)
    assert not [name for name in off.headers if name.startswith("access-control")]
    on = make(cors_origins=(page,))
    assert (await on("/api/v1/campaigns", origin=page)).headers[
        "access-control-allow-origin"
    ] == page
    other = await on("/api/v1/campaigns", origin="https://other.example")
    assert "access-control-allow-origin" not in other.headers
    asked = await on(
        "/api/v1/posts",
        "OPTIONS",
        origin=page,
        access_control_request_method="GET",
        access_control_request_headers="authorization",
    )
    assert asked.status == 200


async def test_posts_and_events_ask_for_the_token(make: Callable[..., Ask]) -> None:
    ask = make(token=TOKEN)
    for url in ("/api/v1/posts", "/api/v1/events"):
        for wrong in ({}, {"authorization": "Bearer x"}, {"authorization": f"Basic {TOKEN}"}):
            answered = await ask(url, accept="application/json", **wrong)
            assert answered.status == 401
            assert answered.headers["www-authenticate"].startswith("Bearer")
            assert answered.json()["status"] == 401
        right = await ask(url, accept="application/json", authorization=f"bearer {TOKEN}")
        assert right.status == 200
        assert right.headers["cache-control"] == "private, no-cache"
    assert (await ask("/api/v1/campaigns")).status == 200


@pytest.mark.parametrize("token", ["short", "with a blank in it, and long"])
def test_a_token_has_to_be_one(token: str) -> None:
    with pytest.raises(ValueError, match="token must have"):
        ExporterSettings(token=token)


@pytest.mark.parametrize("origin", ["news.example", "https://news.example/page"])
def test_an_origin_has_to_be_one(origin: str) -> None:
    with pytest.raises(ValueError, match="is no origin"):
        ExporterSettings(cors_origins=(origin,))


async def test_posts(make: Callable[..., Ask], filled: Filled) -> None:
    filled.posts(0, ("x:1", MS - 3000), ("x:2", MS - 2000), ("mastodon:a.example/3", MS - 1000))
    ask = make()
    document = (await ask("/api/v1/posts?limit=2&hashtag=%23MeToo")).json()
    assert document["posts"][0] == {
        "uid": "mastodon:a.example/3",
        "link": "https://a.example/statuses/3",
        "time": MS - 1000,
        "lang": "en",
        "platform": "mastodon",
        "kind": "original",
        "campaign": "metoo",
        "via": "hashtag",
        "stance": "testimony",
        "hashtags": ["metoo"],
    }
    assert [one["uid"] for one in document["posts"]] == ["mastodon:a.example/3", "x:2"]
    rest = (await ask(f"/api/v1/posts?before={document['next']}&limit=2&hashtag=metoo")).json()
    assert [one["uid"] for one in rest["posts"]] == ["x:1"]
    assert rest["next"] is None
    for query, n in (
        ("platform=x", 2),
        ("lang=EN", 3),
        ("lang=de", 0),
        ("via=hashtag&stance=testimony", 3),
        ("via=reply", 0),
        ("campaign=other", 0),
        ("hashtag=other", 0),
    ):
        assert len((await ask(f"/api/v1/posts?{query}")).json()["posts"]) == n


async def test_texts_are_shown_and_searched_where_they_are_kept(
    make: Callable[..., Ask], filled: Filled
) -> None:
    texts = ("It happened to me, también.", "Students said so", "私も #metoo")
    filled.posts(0, *((f"x:{n}", MS - n, text) for n, text in enumerate(texts, 1)))
    ask = make(text=True)
    assert [one["text"] for one in (await ask("/api/v1/posts")).json()["posts"]] == list(texts)
    for words, uids in (
        ("TAMBIEN+happened", ["x:1"]),
        ("stud", ["x:2"]),
        ("tudents", []),
        ("%E3%82%82", ["x:3"]),
        ("happened+students", []),
    ):
        found = (await ask(f"/api/v1/posts?words={words}")).json()["posts"]
        assert [one["uid"] for one in found] == uids
    assert (await ask("/api/v1/posts?words=%21")).status == 400
    closed = make()
    assert "text" not in (await closed("/api/v1/posts")).body.decode()
    refused = await closed("/api/v1/posts?words=stud")
    assert (refused.status, "keep_text" in refused.json()["detail"]) == (400, True)


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=501",
        "limit=1e2",
        "lang=e",
        "platform=y",
        "via=any",
        "stance=",
        "hashtag=",
        "hashtag=%23",
        "campaign=",
        "before=x",
        "before=WzEsMiwzXQ",
        "before=" + "x" * 1001,
        "author=x",
        "limit=5&limit=6",
    ],
)
async def test_bad_queries_of_posts(make: Callable[..., Ask], query: str) -> None:
    answered = await make()(f"/api/v1/posts?{query}")
    assert answered.status == 400
    assert answered.headers["content-type"] == "application/problem+json"
    assert query.partition("=")[0] in answered.json()["detail"]


def test_the_token_comes_from_a_file(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from streams.config import load_settings

    path = tmp_path / "token"
    path.write_text(f"{TOKEN}\n")
    monkeypatch.setenv("STREAMS_EXPORTER__TOKEN_FILE", str(path))
    token = load_settings(None).exporter.token
    assert token is not None
    assert token.get_secret_value() == TOKEN
    monkeypatch.setenv("STREAMS_EXPORTER__TOKEN_FILE", str(tmp_path / "missing"))
    with pytest.raises(ConfigError, match="token_file"):
        load_settings(None)


async def test_what_is_rare_is_found_under_what_is_not(
    make: Callable[..., Ask], filled: Filled
) -> None:
    write(filled, "threshold", "page")
    for n in range(2_100):
        write(filled, "amplifier", f"x:{n}")
    ask = make()

    async def names(query: str) -> list[str]:
        found = await ask(f"/api/v1/events?{query}", accept="application/json")
        return [event["name"] for event in found.json()["events"]]

    assert await names("limit=2") == ["x:2099", "x:2098"]
    assert await names("kind=threshold") == ["page"]
    assert await names("each=2") == ["x:2099", "x:2098", "page"]
    write(filled, "threshold", "info")
    assert await names("kind=threshold&after=0-0") == ["page", "info"]
    assert await names("kind=threshold&each=1&campaign=metoo") == ["info"]
    assert await names("campaign=other") == []


def write(filled: Filled, kind: str, name: str) -> None:
    """An event, as the store writes it."""
    event = {"id": f"metoo:{kind}:{name}:0", "campaign": "metoo", "kind": kind, "name": name}
    detail = '{"followers":9,"kind":"original"}' if kind == "amplifier" else '{"velocity":9}'
    filled.redis.xadd(filled.layout.events.stream, {**event, "at": str(MS), "detail": detail})


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("posts?limit=-1", "limit: a whole number from 1 to 500"),
        ("posts?limit=99999999999", "limit: a whole number from 1 to 500"),
        ("posts?limit=501", "limit: a whole number from 1 to 500"),
        ("live?window=5m", "window: take one of 1h, 24h"),
        ("hashtags?window=2h", "window: take one of 15m, 1h, 1m, 24h, 5m"),
        ("posts?hashtag=", "hashtag: 1 to 300 characters"),
        ("posts?hashtag=%FF", "hashtag: has a NUL, or is no UTF-8"),
        ("posts?lang=e1", "lang: has to be as ^[A-Za-z]{2,8}$"),
    ],
)
async def test_a_refusal_says_what_is_taken(
    make: Callable[..., Ask], query: str, says: str
) -> None:
    answered = await make()(f"/api/v1/{query}")
    assert (answered.status, answered.json()["detail"]) == (400, says)
