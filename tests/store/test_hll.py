"""The reader's HyperLogLogs against those of a real Redis."""

from __future__ import annotations

import random
from typing import Any

import pytest
from redis import Redis

from streams.store.hll import NotHyperLogLogError, Registers, count_union


@pytest.mark.parametrize(
    "sizes", [[0], [1], [1, 1], [10, 300], [1000] * 4, [3000, 20], [50_000, 7], [200_000, 90_000]]
)
def test_equal_to_pfmerge_and_pfcount(redis_url: str, unique: str, sizes: list[int]) -> None:
    dice = random.Random(sum(sizes) + len(sizes))
    redis: Any = Redis.from_url(redis_url)
    keys = [f"{unique}:{i}" for i in range(len(sizes))]
    for key, size in zip(keys, sizes, strict=True):
        redis.pfadd(key)
        elements = [dice.randbytes(8) for _ in range(size)]
        for first in range(0, size, 5000):
            redis.pfadd(key, *elements[first : first + 5000])
    values = [redis.get(key) for key in keys]
    assert count_union(values) == redis.pfcount(*keys)
    for key, value in zip(keys, values, strict=True):
        assert count_union([value]) == redis.pfcount(key)
    redis.pfmerge(f"{unique}:all", *keys)
    assert count_union([redis.get(f"{unique}:all")]) == redis.pfcount(f"{unique}:all")


def test_nothing_is_nobody() -> None:
    assert count_union([]) == 0
    assert count_union([None, None]) == 0


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"HYLL",
        b"x" * 20,
        b"HYLL\x02" + bytes(20),
        b"HYLL\x00" + bytes(20),
        b"HYLL\x01" + bytes(11),
    ],
)
def test_another_string_is_refused(value: bytes) -> None:
    with pytest.raises(NotHyperLogLogError):
        Registers().add(value)
