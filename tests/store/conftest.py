from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from itertools import count
from typing import Any

import pytest
from redis.asyncio import Redis

from streams.config import RedisSettings
from streams.kept import Keeping
from streams.redis_client import connect
from streams.store.reads import Reader
from tests.filled import Filled
from tests.store.installation import Installation


@pytest.fixture
def filled(redis_url: str, unique: str) -> Filled:
    return Filled(redis_url, f"{unique}:")


@pytest.fixture
async def reader(filled: Filled, redis_url: str) -> AsyncIterator[Reader]:
    redis = connect(RedisSettings(url=redis_url))
    yield Reader(redis, filled.layout)
    await redis.aclose()


@pytest.fixture
async def make(redis_url: str, unique: str) -> AsyncIterator[Callable[..., Installation]]:
    """Installations that keep posts as the arguments (`Keeping`'s) say."""
    redis = Redis.from_url(redis_url)
    prefixes = (f"{unique}.{number}:" for number in count())

    def make(**keeping: Any) -> Installation:
        return Installation(redis, next(prefixes), Keeping(**keeping))

    yield make
    await redis.aclose()
