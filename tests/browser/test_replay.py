"""The page beside `streams counts`, while a day is replayed into real workers.

Slow (about a minute): a broker, a worker, a browser and tens of thousands of posts share two cores.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Callable
from typing import Any

import pytest

from streams.kafka import ensure_topics
from tests.browser.conftest import Exporter, Visit
from tests.integration.pipeline import Pipeline, new_pipeline

__all__ = ["new_pipeline"]

POSTS = 20_000
TOTAL = "Number(document.getElementById('total').textContent.replaceAll(',', ''))"
DIMENSIONS = ("via", "stance", "platform")  # shown whole; of languages and countries the top


async def counts(pipeline: Pipeline, *arguments: str) -> Any:
    """What the command prints, as a user would ask for it."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "streams", "counts", "--json", *arguments),
        env={**os.environ, **pipeline.environment(), "STREAMS_EXPORTER__CLOCK": "replay"},
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0
    return json.loads(output)


async def until_equal(visited: Visit, dimension: str, expected: dict[str, int]) -> None:
    """The page is a read behind."""
    found: dict[str, int] = {}
    for _ in range(100):
        found = {name: n for name, n in (await visited.shares(dimension)).items() if n}
        if found == expected:
            return
        await asyncio.sleep(0.1)
    assert found == expected


@pytest.mark.slow
async def test_shows_what_counts_says(
    new_pipeline: Callable[..., Pipeline],
    exporter: Callable[..., Exporter],
    visit: Callable[..., Any],
) -> None:
    pipeline = new_pipeline("keyed")
    url = exporter().url
    visited = await visit(url)
    await ensure_topics(pipeline.settings.kafka)
    filling = asyncio.create_task(pipeline.fill(POSTS))
    pipeline.start_worker()

    looks = 0
    while not filling.done() or await pipeline.posts() < POSTS:
        before = (await counts(pipeline, "--campaign", "metoo"))["count"]
        # The page is a read behind.
        await visited.page.wait_for_function(f"before => {TOTAL} >= before", arg=before)
        now = await visited.page.evaluate(TOTAL)
        assert now <= (await counts(pipeline, "--campaign", "metoo"))["count"]
        looks += before > 0
    await filling
    assert looks > 0
    total = (await counts(pipeline, "--campaign", "metoo"))["count"]
    assert total == pipeline.truth["campaigns"]["metoo"]["total"]
    await visited.says("#total", f"{total:,}")
    for window in ("1h", "24h"):
        visited = await visit(f"{url}?window={window}")
        for dimension in DIMENSIONS:
            asked = ("--campaign", "metoo", "--window", window, "--by", dimension)
            expected = (await counts(pipeline, *asked))["by"][dimension]
            await until_equal(visited, dimension, expected)
        await visited.shot(f"replay-{window}")
    assert visited.errors == []
