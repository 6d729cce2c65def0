"""How many series an exporter serves when everything is large.

Slow (10 s): 100,000 hashtags are written to a real Redis and read from it.
"""

from __future__ import annotations

import json

import pytest

from streams.exporter.exposition import Exposition
from streams.exporter.minutely import Minutely
from streams.exporter.watch import Watch
from streams.keys import US
from streams.store.events import EventStore
from streams.store.reads import Reader
from tests.exporter.test_metrics import scrape
from tests.filled import Filled

T = 1_508_158_800
ALIVE = 100_000
PARTITIONS = 8


def fill(filled: Filled, campaigns: int) -> None:
    """All dimensions have more values than are shown; every campaign has 80 hashtags, all used."""
    pipeline = filled.redis.pipeline(transaction=False)
    tags = {f"tag{n}": 1 + n % 2 for n in range(ALIVE)}
    names = [f"c{n}" for n in range(campaigns)]
    for name in names:
        own = [f"{name}x{n}" for n in range(80)]
        tags |= dict.fromkeys(own, 50)
        info = {"version": "1", "hashtags": own, "milestones": [10, 100, 1000, 10**6]}
        info["thresholds"] = {"info": 1, "warning": 2, "page": 3}
        pipeline.hset(filled.layout.campaigns, name, json.dumps(info))
    langs = [f"{a}{b}" for a in "abcdefgh" for b in "abcdefgh"]
    for number in range(PARTITIONS):
        filled.partition(number, watermark=T)
        keys = filled.layout.partition(filled.topic, number).gen(0)
        pipeline.hset(keys.tags, mapping=tags)
        for step, back in ((10, 10), (60, 60), (60, 120), (3600, 3600), (3600, 7200)):
            pipeline.hset(keys.bucket(step, T - back), mapping=tags)
        fields: dict[str, int] = {}
        for name in names:
            dims = [
                *(f"joint{US}{p}{US}{k}{US}{v}" for p in "abcd" for k in "abcd" for v in "abcde"),
                *(f"stance{US}{n}" for n in "abcdefg"),
                *(f"{dim}{US}{lang}" for dim in ("lang", "country", "root") for lang in langs),
            ]
            fields |= {f"{name}{US}{dim}": 5 for dim in dims}
            fields[f"{name}{US}total{US}"] = 2000
            first = {f"{name}{US}{d}{US}{v}": T for d in ("lang", "country") for v in langs}
            pipeline.hset(keys.first, mapping=first)
        pipeline.hset(keys.campaigns, mapping=fields)
        for step, back in ((10, 10), (60, 60), (60, 120), (3600, 3600), (3600, 7200)):
            pipeline.hset(keys.campaign_bucket(step, T - back), mapping=fields)
    pipeline.execute()


@pytest.mark.parametrize(("campaigns", "most"), [(1, 5_000), (20, 20_000)])
async def test_series(
    reader: Reader, filled: Filled, unique: str, campaigns: int, most: int
) -> None:
    fill(filled, campaigns)
    exposition = Exposition()
    watch = Watch(reader, exposition, clock="replay")
    minutely = Minutely(reader, EventStore(reader._redis, filled.layout))
    filled.partition(0, watermark=T + 5)
    watch.insight = await minutely.step(await watch.read())
    await watch.read()
    series = scrape(exposition)
    assert len(series) <= most
    # Everything is there all the same.
    assert ("streams_hashtags_untracked", ()) in series
    names = {name for name, _ in series}
    assert {"streams_hashtag_velocity", "streams_campaign_dimension_velocity"} <= names
    for key in filled.redis.scan_iter(f"{unique}:*", count=10_000):
        filled.redis.unlink(key)
