from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator

import pytest

from streams.config import RedisSettings
from streams.redis_client import connect
from streams.store.reads import Reader
from tests.filled import Filled

Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def filled(redis_url: str, unique: str) -> Filled:
    return Filled(redis_url, f"{unique}:")


@pytest.fixture
async def reader(filled: Filled, redis_url: str) -> AsyncIterator[Reader]:
    redis = connect(RedisSettings(url=redis_url))
    yield Reader(redis, filled.layout)
    await redis.aclose()


@pytest.fixture
def start(redis_url: str, unique: str) -> Iterator[Start]:
    running: list[subprocess.Popen[str]] = []

    def start(port: int, **environ: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "streams", "exporter"],
            env={
                **os.environ,
                "STREAMS_REDIS__URL": redis_url,
                "STREAMS_REDIS__PREFIX": f"{unique}:",
                "STREAMS_EXPORTER__HOST": "127.0.0.1",
                "STREAMS_EXPORTER__PORT": str(port),
                "STREAMS_EXPORTER__INTERVAL": "0.1",
                **environ,
            },
            stderr=subprocess.PIPE,
            text=True,
        )
        running.append(process)
        return process

    yield start
    for process in running:
        process.kill()
        process.communicate()
