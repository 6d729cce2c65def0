"""What tests of live sources share."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest

from streams.ingest.live.metrics import IngestObserver


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def observer(unique: str) -> IngestObserver:
    """Its metrics have the label source=`unique`."""
    return IngestObserver(unique)
