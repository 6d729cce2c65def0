"""What a minute brings, from a real Redis: bursts, forecasts, measures, events."""

from __future__ import annotations

import asyncio

import pytest

from streams.exporter.exposition import Exposition
from streams.exporter.insight import Insight
from streams.exporter.minutely import Minutely, velocities
from streams.exporter.watch import Watch
from streams.keys import US
from streams.spread.burst import ALARM
from streams.store.events import EventStore
from streams.store.reads import Reader
from tests.exporter.test_metrics import scrape, value
from tests.filled import Filled

T = 1_508_158_800  # a whole hour
INFO = (
    '{"version":"1","hashtags":["metoo"],"thresholds":{"warning":2,"page":10},'
    '"milestones":[100,5000]}'
)


class Exporter:
    """One exporter on this Redis."""

    def __init__(self, reader: Reader, filled: Filled) -> None:
        self.filled = filled
        self.exposition = Exposition()
        self.watch = Watch(reader, self.exposition, top=2, clock="replay")
        self.events = EventStore(reader._redis, filled.layout)
        self.minutely = Minutely(reader, self.events)

    async def at(self, watermark: float) -> Insight | None:
        self.filled.partition(0, watermark=watermark, end=20)  # more is to come
        snapshot = await self.watch.read()
        self.watch.insight = await self.minutely.step(snapshot) or self.watch.insight
        await self.watch.read()
        return self.watch.insight

    async def ids(self) -> list[str]:
        return [event.document["id"] for event in await self.events.after("0-0", 1000)]


@pytest.fixture
def exporter(reader: Reader, filled: Filled) -> Exporter:
    filled.redis.hset(filled.layout.campaigns, "metoo", INFO)
    return Exporter(reader, filled)


async def test_a_minute_is_looked_at_once_it_is_full(exporter: Exporter) -> None:
    exporter.filled.campaign(0, T - 90)
    first = await exporter.at(T + 4)  # posts of its last moment may be on their way
    assert first is not None
    assert first.until == T - 60
    second = await exporter.at(T + 5)
    assert second is not None
    assert second.until == T
    assert await exporter.at(T + 20) is second


async def test_measures_of_a_campaign(exporter: Exporter) -> None:
    filled = exporter.filled
    filled.campaign(0, T - 1800, 60, lang="en", country="US", stance="testimony")
    filled.campaign(0, T - 900, 20, lang="fr", country="FR", kind="reply", via="reply")
    filled.campaign(0, T - 600, 120, lang="en", kind="repost", via="repost", stance="news")
    filled.campaign(0, T - 4000, 50, lang="de")
    for back in range(4000, 40_000, 600):
        filled.campaign(0, T - back, 2, lang="de")
    filled.delay(0, T - 600, 1800, 140)
    filled.authors(0, "c\x1fmetoo", T - 1, ["a", "b", "c"])
    filled.authors(0, "c\x1fmetoo", T - 5 * 3600, ["c", "d"])
    filled.campaign(0, T - 1, 3)
    await exporter.at(T + 5)
    series = scrape(exporter.exposition)
    of = {"campaign": "metoo"}
    assert value(series, "campaign_amplification_ratio", **of) == pytest.approx(120 / 83)
    assert value(series, "campaign_new_author_ratio", **of) == pytest.approx(2 / 3)
    assert 0.5 < (value(series, "campaign_reproduction_ratio", **of) or 0) < 3
    entropy = value(series, "campaign_entropy_bits", **of, dimension="country")
    assert entropy == pytest.approx(0.811, abs=0.001)  # 60 : 20
    velocity = "campaign_dimension_velocity"
    assert value(series, velocity, **of, dimension="stance", value="news") == 120 / 3600
    assert value(series, velocity, **of, dimension="lang", value="de") is None
    for bound in ("low", "mid", "high"):
        for horizon in ("15m", "1h"):
            expected = value(series, "campaign_forecast_posts", **of, horizon=horizon, bound=bound)
            assert expected is not None
    assert value(series, "campaign_burst_alarm_score") == ALARM
    assert value(series, "clock_info", clock="replay") == 1
    assert (value(series, "redis_memory_used_bytes", node="redis") or 0) > 0
    assert value(series, "redis_memory_limit_bytes", node="redis") == 0
    assert value(series, "partition_lag_posts", partition="posts.raw:0") == 10


async def test_replies_to_calls(exporter: Exporter, filled: Filled) -> None:
    """Calls in one partition, replies in another: the 30 most answered, and the others."""
    filled.partition(1, watermark=T)
    filled.campaign(0, T - 90)
    calls, counted = (filled.layout.partition("posts.raw", n).gen(0) for n in (0, 1))
    hour = T // 3600
    for n in range(40):
        filled.redis.hset(calls.calls(hour - n), f"metoo{US}x:{n}", 200_000)
        filled.redis.hset(counted.replies(hour - 1), f"metoo{US}x:{n}", 100 - n)
    filled.redis.hset(counted.replies(hour - 2), f"metoo{US}x:0", 7)
    filled.redis.hset(counted.replies(hour - 1), f"metoo{US}x:99", 500)  # is no call
    insight = await exporter.at(T + 5)
    assert insight is not None
    series = scrape(exporter.exposition)
    own = {
        dict(labels)["root"]: n
        for (name, labels), n in series.items()
        if name == "streams_campaign_call_replies"
    }
    expected = {f"x:{n}": 100 - n for n in range(30)} | {"x:0": 107}
    assert own == expected | {"other": sum(100 - n for n in range(30, 40))}


async def test_a_new_hashtag_that_bursts_is_seen(exporter: Exporter) -> None:
    filled = exporter.filled
    redis, filled.redis = filled.redis, filled.redis.pipeline(transaction=False)
    for minute in range(1440):
        filled.tag(0, "steady", T - 60 * minute - 30, 30)
        filled.campaign(0, T - 60 * minute - 30, 4)
    filled.redis.execute()
    filled.redis = redis
    filled.tag(0, "new", T - 30, 40)
    filled.tag(0, "rare", T - 30, 4)
    insight = await exporter.at(T + 5)
    assert insight is not None
    assert insight.bursts["new"] >= ALARM > insight.bursts["steady"]
    assert insight.campaigns["metoo"].burst < ALARM
    series = scrape(exporter.exposition)
    assert value(series, "hashtag_burst_score", hashtag="steady") == insight.bursts["steady"]


async def test_events_are_the_same_whoever_looks_and_when(
    exporter: Exporter, reader: Reader, filled: Filled
) -> None:
    other = Exporter(reader, filled)
    filled.partition(1, watermark=T + 16 * 60)  # is ahead
    for minute, n in enumerate([10, 10, 800, 800, *[10] * 11, 4000]):
        filled.campaign(1, T + 60 * minute + 1, n, lang="fr", country="FR")
    filled.campaign(1, T + 130, platform="bluesky")
    await asyncio.gather(exporter.at(T + 65), other.at(T + 65))
    assert sorted(await exporter.ids()) == [
        f"metoo:country:FR:{T}",
        f"metoo:language:en:{T + 120}",
        f"metoo:language:fr:{T}",
        f"metoo:platform:bluesky:{T + 120}",
        f"metoo:platform:x:{T}",
    ]
    await other.at(T + 200)
    await asyncio.gather(exporter.at(T + 16 * 60 + 5), other.at(T + 16 * 60 + 5))
    restarted = Exporter(reader, filled)
    await restarted.at(T + 16 * 60 + 30)
    thresholds = [id for id in await restarted.ids() if ":threshold:" in id]
    assert thresholds == [
        f"metoo:threshold:warning:{T + 180}",
        f"metoo:threshold:warning:{T + 960}",
        f"metoo:threshold:page:{T + 960}",
    ]
    ids = await restarted.ids()
    assert len(ids) == len(set(ids))
    assert [id for id in ids if ":milestone:" in id] == [
        f"metoo:milestone:100:{T + 180}",
        f"metoo:milestone:5000:{T + 960}",
    ]
    series = scrape(restarted.exposition)
    reached = "campaign_milestone_reached_timestamp_seconds"
    assert value(series, reached, campaign="metoo", posts="5000") == T + 960
    assert value(series, "campaign_events_total", campaign="metoo", kind="threshold") == 3


def test_velocities_begin_after_what_was_followed() -> None:
    minutes = [60, 0, 0, 0, 0, 300]
    assert list(velocities(minutes, 600, 480)) == [(540, 0.2), (600, 1.0)]
    assert len(list(velocities(minutes, 600, 0))) == 6  # no more than there are
    assert list(velocities(minutes, 600, 600)) == []
