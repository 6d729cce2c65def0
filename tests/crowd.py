"""An installation in which everything is large: 100,000 hashtags alive."""

from __future__ import annotations

import json
from typing import Final

from streams.keys import US
from tests.filled import Filled

CROWD_AT: Final = 1_508_158_800  # the watermark, s
ALIVE: Final = 100_000
PARTITIONS: Final = 8
_FULL: Final = 7200  # s: so far back all hashtags are in the buckets


def crowd(filled: Filled, campaigns: int, hours: int = 2) -> None:
    """All dimensions have more values than are shown; every campaign has 80 hashtags, all used.

    `hours`: how far back there are buckets of hours, and of the campaigns' minutes.
    """
    pipeline = filled.redis.pipeline(transaction=False)
    tags = {f"tag{n}": 1 + n % 2 for n in range(ALIVE)}
    older = {f"tag{n}": 1 for n in range(1000)}  # by all of them, history would need gigabytes
    names = [f"c{n}" for n in range(campaigns)]
    for name in names:
        own = [f"{name}x{n}" for n in range(80)]
        tags |= dict.fromkeys(own, 50)
        older |= dict.fromkeys(own, 50)
        info = {"version": "1", "hashtags": own, "milestones": [10, 100, 1000, 10**6]}
        info["thresholds"] = {"info": 1, "warning": 2, "page": 3}
        pipeline.hset(filled.layout.campaigns, name, json.dumps(info))
    langs = [f"{a}{b}" for a in "abcdefgh" for b in "abcdefgh"]
    for number in range(PARTITIONS):
        filled.partition(number, watermark=CROWD_AT)
        keys = filled.layout.partition(filled.topic, number).gen(0)
        pipeline.hset(keys.tags, mapping=tags)
        for step, back in _buckets(1, hours):
            alive = tags if back <= _FULL else older
            pipeline.hset(keys.bucket(step, CROWD_AT - back), mapping=alive)
        fields: dict[str, int] = {}
        for name in names:
            dims = [
                *(f"joint{US}{p}{US}{k}{US}{v}" for p in "abcd" for k in "abcd" for v in "abcde"),
                *(f"stance{US}{n}" for n in "abcdefg"),
                *(f"{dim}{US}{lang}" for dim in ("lang", "country", "root") for lang in langs),
            ]
            fields |= {f"{name}{US}{dim}": 5 for dim in dims}
            fields[f"{name}{US}total{US}"] = 2000
            first = {f"{name}{US}{d}{US}{v}": CROWD_AT for d in ("lang", "country") for v in langs}
            pipeline.hset(keys.first, mapping=first)
        pipeline.hset(keys.campaigns, mapping=fields)
        for step, back in _buckets(hours // 2, hours):
            pipeline.hset(keys.campaign_bucket(step, CROWD_AT - back), mapping=fields)
        pipeline.execute()  # not all partitions at once: they are large


def _buckets(minute_hours: int, hours: int) -> list[tuple[int, int]]:
    """Steps and how long ago buckets begin (s): the newest ten seconds and minutes, then a minute
    of each of `minute_hours`, and all hours."""
    return [
        *((10, 10), (60, 60), (60, 120)),
        *((60, 3600 * n) for n in range(1, minute_hours)),
        *((3600, 3600 * n) for n in range(1, hours + 1)),
    ]
