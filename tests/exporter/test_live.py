"""What the page is sent."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from streams.config import ExporterSettings
from streams.exporter.app import build_app
from streams.exporter.exposition import Exposition
from streams.exporter.feed import Feed
from streams.exporter.live import LiveApi
from streams.exporter.minutely import Minutely
from streams.exporter.parameters import LiveQuery
from streams.exporter.posts_api import PostsApi
from streams.exporter.watch import Watch
from streams.kept import Keeping
from streams.store.events import EventStore
from streams.store.reads import Reader
from tests.exporter.asgi import Answered, get
from tests.filled import Filled

T = 1_508_158_800

Ask = Callable[[str], Any]


@pytest.fixture
async def watch(reader: Reader, filled: Filled) -> Watch:
    filled.partition(0, watermark=T)
    filled.redis.hset(filled.layout.campaigns, "metoo", '{"title":"#MeToo","version":"1"}')
    filled.campaign(0, T - 30, 3, lang="de", country="DE")
    filled.campaign(0, T - 3500, 2, via="call", platform="mastodon")
    filled.campaign(0, T - 20 * 3600, 7, lang="fr")
    filled.campaign(0, T - 30, 1, name="other")
    watched = Watch(reader, Exposition(), clock="replay")
    await watched.read()
    return watched


@pytest.fixture
def ask(watch: Watch, reader: Reader, filled: Filled) -> Ask:
    feed = Feed(EventStore(reader._redis, filled.layout))
    posts = PostsApi(reader, Keeping())
    app = build_app(watch, Exposition(), feed, posts, ExporterSettings())

    async def ask(query: str) -> Answered:
        return await get(app, f"/api/v1/live{query}")

    return ask


async def test_begins_with_the_largest_campaign(ask: Ask) -> None:
    found = (await ask("")).json()
    assert [each["campaign"] for each in found["campaigns"]] == ["metoo", "other"]
    assert found["title"] == "#MeToo"
    assert found["campaign"]["total"] == 12
    assert (found["clock"], found["closed"]) == ("replay", False)
    other = (await ask("?campaign=other")).json()
    assert (other["title"], other["campaign"]["total"]) == ("other", 1)


async def test_shares_are_those_of_the_window(ask: Ask, watch: Watch, reader: Reader) -> None:
    hour = (await ask("?window=1h")).json()["window"]
    assert (hour["posts"], hour["until"]) == (5, T * 1000)
    assert hour["by"]["via"] == {"call": 2, "hashtag": 3}
    assert hour["by"]["lang"] == {"de": 3, "en": 2}
    assert hour["by"]["country"] == {"DE": 3}
    day = (await ask("?window=24h")).json()["window"]
    assert day["posts"] == 12
    assert day["by"]["lang"] == {"de": 3, "en": 2, "fr": 7}


async def test_curves(ask: Ask, watch: Watch, reader: Reader, filled: Filled) -> None:
    hour = (await ask("?window=1h")).json()["series"]
    assert (hour["step"], len(hour["posts"]), sum(hour["posts"])) == (60, 60, 5)
    assert (hour["until"], hour["start"]) == (T * 1000, (T - 3600) * 1000)
    assert hour["posts"][-1] == 3
    assert (await ask("?window=24h")).json()["series"]["posts"] == []  # no full minute yet
    minutely = Minutely(reader, EventStore(reader._redis, filled.layout))
    snapshot = watch.snapshot
    assert snapshot is not None
    watch.insight = await minutely.step(snapshot)
    await watch.read()
    day = (await ask("?window=24h")).json()["series"]
    assert (day["step"], len(day["posts"])) == (300, 288)
    # A minute is full once the watermark is some seconds past it: the newest is not.
    assert sum(day["posts"]) == 9
    assert day["until"] == (T - 300) * 1000


@pytest.mark.parametrize(
    ("query", "status"), [("?campaign=nope", 404), ("?window=5m", 400), ("?top=1", 400)]
)
async def test_refuses_what_it_has_not(ask: Ask, query: str, status: int) -> None:
    assert (await ask(query)).status == status


async def test_says_what_is_wrong_and_goes_on(watch: Watch) -> None:
    live = LiveApi(watch, closed=True)
    sent = live._sent(LiveQuery())

    async def following() -> tuple[str | None, Any]:
        event = await anext(sent)
        return event.event, json.loads(str(event.data))

    kind, document = await following()
    assert (kind, document["closed"]) == ("view", True)
    watch.failed = "gone"
    assert await following() == ("problem", {"detail": "Redis does not answer"})
    watch.failed = None
    await watch.read()
    assert (await following())[0] == "view"
    await sent.aclose()  # type: ignore[attr-defined]


async def test_before_the_first_read(reader: Reader) -> None:
    live = LiveApi(Watch(reader, Exposition()), closed=False)
    sent = live._sent(LiveQuery())
    event = await anext(sent)
    assert (event.event, event.retry) == ("problem", 1000)
    await sent.aclose()  # type: ignore[attr-defined]


async def test_reads_come_often_while_somebody_looks_and_seldom_else(watch: Watch) -> None:
    live = LiveApi(watch, closed=False)
    task = asyncio.create_task(watch.run(300, 0.1))
    try:
        sent = live._sent(LiveQuery())
        assert (await anext(sent)).event == "view"
        for _ in range(3):
            before = watch.snapshot
            async with asyncio.timeout(10):
                while watch.snapshot is before:  # noqa: ASYNC110 - it has no event
                    await asyncio.sleep(0.01)
        assert watch._followed.is_set()
        await sent.aclose()  # type: ignore[attr-defined]
        assert not watch._followed.is_set()
    finally:
        task.cancel()


async def test_many_who_look_cost_one_document(watch: Watch) -> None:
    live = LiveApi(watch, closed=False)
    texts = {id((await live._look(LiveQuery()))[1]) for _ in range(50)}
    assert len(texts) == 1
