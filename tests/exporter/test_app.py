from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from streams.exporter.app import build_app
from streams.exporter.exposition import Exposition
from streams.exporter.feed import Feed
from streams.exporter.minutely import Minutely
from streams.exporter.posts_api import PostsApi
from streams.exporter.watch import Watch
from streams.kept import Keeping
from streams.keys import US
from streams.store.events import EventStore
from streams.store.reads import Reader
from tests.exporter.asgi import Answered, get
from tests.filled import Filled

T = 1_508_158_800
Get = Callable[..., Awaitable[Answered]]


@pytest.fixture
def watch(reader: Reader) -> Watch:
    return Watch(reader, Exposition(), top=1, clock="replay")


@pytest.fixture
def feed(reader: Reader, filled: Filled) -> Feed:
    return Feed(EventStore(reader._redis, filled.layout))


@pytest.fixture
async def ask(watch: Watch, feed: Feed, filled: Filled) -> Get:
    filled.partition(0, watermark=T)
    filled.outcome(0, "counted", 5)
    filled.campaign(0, T - 30, 3, lang="de")
    filled.campaign(0, T - 3590, 1)
    filled.tag(0, "metoo", T - 30, 4)
    filled.tag(0, "other", T - 30, 3, lang="de")
    await watch.read()
    app = build_app(watch, Exposition(), feed, PostsApi(watch.reader, Keeping()))

    async def ask(url: str, method: str = "GET", **headers: str) -> Answered:
        return await get(app, url, method, headers)

    return ask


async def test_campaigns(ask: Get) -> None:
    document = (await ask("/api/v1/campaigns")).json()
    assert document["watermark"] == T * 1000
    assert document["records"]["counted"] == 5
    [found] = document["campaigns"]
    assert (found["campaign"], found["total"]) == ("metoo", 4)
    assert found["windows"]["1m"] == {
        "until": T * 1000,
        "posts": 3,
        "velocity": 0.05,
        "acceleration": pytest.approx(0.05 / 60),
        "doubling_seconds": None,
        "unique_authors": None,
    }


async def test_one_campaign(ask: Get) -> None:
    document = (await ask("/api/v1/campaigns/metoo")).json()
    assert document["by"]["lang"] == {"de": 3, "en": 1}
    assert document["by"]["via"] == {"hashtag": 4}
    assert document["first_seen"]["lang"] == {"de": (T - 30) * 1000, "en": (T - 3590) * 1000}
    assert document["seconds_to_first"]["lang"] == {"de": 3560, "en": 0}
    assert document["insight"] is None  # until the first minute was looked at
    missing = await ask("/api/v1/campaigns/none")
    assert missing.status == 404
    assert missing.headers["content-type"] == "application/problem+json"
    assert missing.json() == {"title": "Not Found", "status": 404, "detail": "no such campaign"}


async def test_series(ask: Get) -> None:
    document = (await ask("/api/v1/campaigns/metoo/series?window=5m")).json()
    assert (document["step"], document["until"], len(document["points"])) == ("10s", T * 1000, 30)
    assert [point for point in document["points"] if point[1]] == [[(T - 30) * 1000, 3]]
    hour = (await ask("/api/v1/campaigns/metoo/series")).json()
    assert [n for _, n in hour["points"] if n] == [1, 3]
    day = (await ask("/api/v1/hashtags/OTHER/series?window=24h&step=1m")).json()
    assert (day["hashtag"], len(day["points"])) == ("other", 1440)


async def test_hashtags(ask: Get) -> None:
    document = (await ask("/api/v1/hashtags?window=1m&top=5")).json()
    assert document["until"] == T * 1000
    assert [(found["hashtag"], found["posts"]) for found in document["hashtags"]] == [
        ("metoo", 4),
        ("other", 3),
    ]
    assert len((await ask("/api/v1/hashtags?top=1")).json()["hashtags"]) == 1


async def test_what_a_minute_brought(ask: Get, watch: Watch, feed: Feed, filled: Filled) -> None:
    filled.partition(0, watermark=T + 5)
    watch.insight = await Minutely(watch.reader, feed.store).step(await watch.read())
    insight = (await ask("/api/v1/campaigns/metoo")).json()["insight"]
    assert insight["until"] == T * 1000
    assert insight["velocity_by"]["via"] == {"hashtag": 4 / 3600}
    [found] = (await ask("/api/v1/hashtags?by=burst&top=1")).json()["hashtags"]
    assert watch.insight is not None
    assert found["burst_score"] == watch.insight.bursts[found["hashtag"]]


async def test_a_call_says_how_often_it_was_answered(
    ask: Get, watch: Watch, feed: Feed, filled: Filled
) -> None:
    keys = filled.layout.partition("posts.raw", 0).gen(0)
    filled.redis.hset(keys.calls(T // 3600 - 1), f"metoo{US}x:1", 200_000)
    for number in (1, 2):  # the second is no call
        filled.redis.hset(keys.replies(T // 3600 - 1), f"metoo{US}x:{number}", 7)
        event = {"id": f"metoo:amplifier:x:{number}:0", "campaign": "metoo", "kind": "amplifier"}
        event |= {"name": f"x:{number}", "at": str(T * 1000 - 9000), "detail": "{}"}
        filled.redis.xadd(filled.layout.events.stream, event)
    filled.partition(0, watermark=T + 5)
    url = "/api/v1/events?kind=amplifier"
    watch.insight = await Minutely(watch.reader, feed.store).step(await watch.read())
    found = (await ask(url, accept="application/json")).json()["events"]
    told = {event["name"]: event.get("replies") for event in found}
    assert told == {"x:1": 7, "x:2": None}


async def test_a_hashtag_outside_the_top_is_read_from_redis(ask: Get) -> None:
    for tag in ("metoo", "other", "#Other", "OTHER"):
        document = (await ask(f"/api/v1/hashtags/{tag}")).json()
        assert document["hashtag"] == tag.removeprefix("#").lower()
        assert document["windows"]["1h"]["posts"] == document["total"]
    assert document["by"] == {"lang": {"de": 3}, "platform": {"x": 3}}
    assert (await ask("/api/v1/hashtags/nothing")).status == 404


@pytest.mark.parametrize(
    "url",
    [
        "/api/v1/campaigns?x=1",
        "/api/v1/campaigns/metoo/series?window=2m",
        "/api/v1/campaigns/metoo/series?step=2m",
        "/api/v1/campaigns/metoo/series?window=1m&step=1h",
        "/api/v1/campaigns/metoo/series?window=24h&step=10s",
        "/api/v1/campaigns/metoo/series?window=1m&window=5m",
        "/api/v1/hashtags?by=name",
        "/api/v1/events?kind=other",
        "/api/v1/events?after=yesterday",
        "/api/v1/events?limit=0",
        "/api/v1/hashtags?top=0",
        "/api/v1/hashtags?top=501",
        "/api/v1/hashtags?top=-1",
        "/api/v1/hashtags?top=99999999999999999999",
        "/api/v1/hashtags?top=%C2%B2",
        "/api/v1/hashtags/%20",
        "/api/v1/hashtags/" + "x" * 301,
        "/api/v1/hashtags/a\x1fb",
    ],
)
async def test_bad_parameters_are_problems(ask: Get, url: str) -> None:
    answered = await ask(url)
    assert answered.status == 400
    assert answered.json()["status"] == 400
    assert answered.json()["detail"]


async def test_unknown_paths_and_methods_are_problems(ask: Get) -> None:
    assert (await ask("/nothing")).json()["status"] == 404
    posted = await ask("/api/v1/campaigns", "POST")
    assert posted.status == 405
    assert set(posted.headers["allow"].split(", ")) == {"GET", "HEAD"}
    assert posted.json()["title"] == "Method Not Allowed"


async def test_before_the_first_read(watch: Watch, feed: Feed) -> None:
    answered = await get(
        build_app(watch, Exposition(), feed, PostsApi(watch.reader, Keeping())), "/api/v1/campaigns"
    )
    assert (answered.status, answered.headers["retry-after"]) == (503, "1")


async def test_the_page_needs_nothing_from_elsewhere(ask: Get) -> None:
    page = await ask("/")
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    text = page.body.decode()
    assert "://" not in text
    assert not re.search(r"<script(?![^>]*src=)|\son\w+=|\sstyle=|<style", text)
    for path in re.findall(r'(?:src|href)="([^#"]+)"', text):
        assert (await ask(f"/{path}")).status == 200


async def test_metrics_and_probes(ask: Get, watch: Watch, monkeypatch: Any) -> None:
    assert (await ask("/metrics")).headers["content-type"].startswith("text/plain")
    assert (await ask("/healthz")).status == 200
    assert (await ask("/readyz")).status == 200

    async def gone() -> None:
        raise RedisConnectionError("gone")

    monkeypatch.setattr(watch.reader, "ping", gone)
    assert (await ask("/readyz")).status == 503
    assert (await ask("/healthz")).status == 200


async def test_redis_gone_is_a_problem(ask: Get, watch: Watch, monkeypatch: Any) -> None:
    async def gone(*_: object) -> None:
        raise RedisConnectionError("gone")

    monkeypatch.setattr(watch.reader, "states", gone)
    answered = await ask("/api/v1/campaigns/metoo/series")
    assert (answered.status, answered.json()["detail"]) == (503, "Redis does not answer")
    assert (await ask("/api/v1/campaigns")).status == 200  # from the snapshot
