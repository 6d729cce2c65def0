"""How many series an exporter serves when everything is large.

Slow (10 s): 100,000 hashtags are written to a real Redis and read from it.
"""

from __future__ import annotations

import pytest

from streams.exporter.exposition import Exposition
from streams.exporter.minutely import Minutely
from streams.exporter.watch import Watch
from streams.store.events import EventStore
from streams.store.reads import Reader
from tests.crowd import CROWD_AT as T
from tests.crowd import crowd
from tests.exporter.test_metrics import scrape
from tests.filled import Filled


@pytest.mark.parametrize(("campaigns", "most"), [(1, 5_000), (20, 20_000)])
async def test_series(
    reader: Reader, filled: Filled, unique: str, campaigns: int, most: int
) -> None:
    crowd(filled, campaigns)
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
