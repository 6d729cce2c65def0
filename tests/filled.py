"""Writes the layout into a real Redis, as a commit would: for tests of what reads it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson
from redis import Redis

from streams.keys import US, Layout


class Filled:
    """An installation whose counters are set by hand."""

    def __init__(self, url: str, prefix: str, topic: str = "posts.raw") -> None:
        self.redis: Any = Redis.from_url(url, socket_timeout=60)  # a crowd takes a while
        self.layout = Layout(prefix)
        self.topic = topic

    def partition(
        self,
        number: int,
        *,
        watermark: float | None = None,
        offset: int | None = 10,
        end: int | None = 10,
        gen: int = 0,
    ) -> None:
        """`watermark` in seconds."""
        keys = self.layout.partition(self.topic, number)
        self.redis.sadd(self.layout.partitions, f"{self.topic}:{number}")
        self.redis.hset(keys.state, "gen", gen)
        if offset is not None:
            self.redis.hset(keys.state, "offset", offset)
        if watermark is not None:
            self.redis.hset(keys.state, "watermark", int(watermark * 1000))
        if end is not None:
            self.redis.hset(keys.live, mapping={"end": end, "at": 0})

    def outcome(self, number: int, outcome: str, n: int, *, gen: int = 0) -> None:
        keys = self.layout.partition(self.topic, number).gen(gen)
        self.redis.hincrby(keys.outcomes, f"x{US}{outcome}", n)

    def tag(
        self,
        number: int,
        tag: str,
        at: float,
        n: int = 1,
        *,
        gen: int = 0,
        other: bool = True,
        lang: str = "en",
    ) -> None:
        """`n` posts with a hashtag at `at` (s)."""
        keys = self.layout.partition(self.topic, number).gen(gen)
        self.redis.hincrby(keys.tags, tag, n)
        self.redis.hincrby(keys.tag(tag), f"x{US}{lang}", n)
        if other:
            self.redis.zadd(keys.tagged, {tag: at * 1000}, gt=True)
        for step in (10, 60, 3600):
            key = keys.bucket(step, int(at // step * step))
            self.redis.hincrby(key, tag, n)
            if step > 10:
                self.redis.hincrby(key, f"{tag}{US}x{US}{lang}", n)

    def campaign(
        self,
        number: int,
        at: float,
        n: int = 1,
        *,
        name: str = "metoo",
        gen: int = 0,
        kind: str = "original",
        via: str = "hashtag",
        lang: str = "en",
        country: str | None = None,
        root: str | None = None,
        stance: str = "unclear",
        platform: str = "x",
    ) -> None:
        """`n` posts of a campaign at `at` (s)."""
        keys = self.layout.partition(self.topic, number).gen(gen)
        fields = [
            f"total{US}",
            f"joint{US}{platform}{US}{kind}{US}{via}",
            f"stance{US}{stance}",
            f"lang{US}{lang}",
            *([f"country{US}{country}"] if country else []),
            *([f"root{US}{root}"] if root else []),
        ]
        for field in fields:
            self.redis.hincrby(keys.campaigns, f"{name}{US}{field}", n)
            for step in (60, 3600):
                key = keys.campaign_bucket(step, int(at // step * step))
                self.redis.hincrby(key, f"{name}{US}{field}", n)
        ten = keys.campaign_bucket(10, int(at // 10 * 10))
        self.redis.hincrby(ten, f"{name}{US}total{US}", n)
        for dimension, value in (("platform", platform), ("lang", lang), ("country", country)):
            if value is None:
                continue
            self.redis.hsetnx(keys.first, f"{name}{US}{dimension}{US}{value}", int(at * 1000))

    def posts(self, number: int, *posts: tuple[Any, ...], author: str = "a" * 32) -> None:
        """Kept posts of the campaign and its hashtag: uid, ms, and the text if it is kept."""
        keys = self.layout.partition(self.topic, number).gen(0)
        name = f"metoo{US}metoo"
        self.redis.sadd(keys.kept_lists, name)
        for uid, ms, *text in posts:
            row = [ms, uid, "en", 0, 0, 0, author, ["metoo"], *text]
            chunk = orjson.dumps([[0, 1], row])[:-1] + b","
            self.redis.zadd(keys.kept(name), {chunk: ms // 60_000})

    def delay(self, number: int, at: float, bound: int, n: int) -> None:
        """`n` reposts or replies at `at` (s) within `bound` seconds of their parents."""
        keys = self.layout.partition(self.topic, number).gen(0)
        for step in (60, 3600):
            key = keys.campaign_bucket(step, int(at // step * step))
            self.redis.hincrby(key, f"metoo{US}delay{US}{bound}", n)

    def call(self, number: int, uid: str, at: float, replies: int) -> None:
        """An amplifier's call at `at` (s) in a partition, and its replies of that hour."""
        keys = self.layout.partition(self.topic, number).gen(0)
        hour, field = int(at // 3600), f"metoo{US}{uid}"
        self.redis.hset(keys.calls(hour), field, 900_000)
        self.redis.hincrby(keys.replies(hour), field, replies)

    def authors(
        self, number: int, subject: str, at: float, names: Iterable[str], *, gen: int = 0
    ) -> None:
        keys = self.layout.partition(self.topic, number).gen(gen)
        names = list(names)
        for step in (60, 3600):
            self.redis.pfadd(keys.authors(step, int(at // step * step), subject), *names)
        self.redis.pfadd(keys.authors(0, 0, subject), *names)
