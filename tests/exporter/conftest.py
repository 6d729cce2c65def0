from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from streams.config import RedisSettings
from streams.redis_client import connect
from streams.store.reads import Reader
from tests.filled import Filled


@pytest.fixture
def filled(redis_url: str, unique: str) -> Filled:
    return Filled(redis_url, f"{unique}:")


@pytest.fixture
async def reader(filled: Filled, redis_url: str) -> AsyncIterator[Reader]:
    redis = connect(RedisSettings(url=redis_url))
    yield Reader(redis, filled.layout)
    await redis.aclose()
