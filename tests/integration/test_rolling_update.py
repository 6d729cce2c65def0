"""Workers are replaced one by one while posts come: nothing is lost, nothing counted twice.

Processes stand for pods: SIGTERM, the exit status waited for, and a new one under the same name.
Slow (half a minute each): two versions of three workers start one after another, under load.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from streams import __version__, campaigns
from streams.campaigns.versions import revision
from streams.classify import Classifier
from streams.kafka import ensure_topics
from tests.integration.pipeline import Pipeline
from tests.integration.recounting import notes, truth

pytestmark = pytest.mark.slow

POSTS, RATE = 24_000, 1200.0
PODS = 3
NewPipeline = Callable[..., Pipeline]


async def test_a_new_program_and_a_changed_campaign_one_worker_at_a_time(
    new_pipeline: NewPipeline, tmp_path: Path
) -> None:
    """What counted from which offset is noted, so the true counts can be worked out: they are."""
    shipped = (files("streams.campaigns") / "metoo.toml").read_text(encoding="utf-8")
    changed = shipped.replace('"NoMore", "WomenWhoRoar",', '"NoMore",').replace(
        '[hashtags]\nen = ["MeToo",', '[hashtags]\nen = ["MeToo", "WomenWhoRoar",'
    )
    assert len(changed) == len(shipped)
    old, new = tmp_path / "old.toml", tmp_path / "new.toml"
    old.write_text(shipped, encoding="utf-8")
    new.write_text(changed, encoding="utf-8")

    def start(file: Path, program: str) -> Any:
        return pipeline.start_worker(program=program, extra={"STREAMS_CAMPAIGNS": str(file)})

    pipeline = new_pipeline("keyed")
    await ensure_topics(pipeline.settings.kafka.model_copy(update={"partitions": 6}))
    pods = [start(old, "streams") for _ in range(PODS)]
    rolled = asyncio.Event()
    feed = asyncio.create_task(
        pipeline.fill(POSTS, seed=5, partitions=6, rate=RATE, release=rolled)
    )
    await pipeline.wait_for(3_000)
    for number in reversed(range(PODS)):
        assert await asyncio.to_thread(pods[number].stop, 15) == 0
        pods[number] = await asyncio.to_thread(start, new, "tests.integration.newer")
    rolled.set()
    await feed
    counted = await pipeline.wait_for(POSTS)

    found = await notes(pipeline)
    revisions = [revision(campaigns.load(file)) for file in (old, new)]
    old_rules = (__version__, {"metoo": revisions[0]})
    new_rules = ("99.0.0", {"metoo": revisions[1]})
    assert {(note.program, str(note.campaigns)) for note in found} == {
        (program, str(names)) for program, names in (old_rules, new_rules)
    }
    assert old_rules != new_rules, "the campaign's version is the same, and its file another one"
    for partition in {note.partition for note in found}:
        own = [note for note in found if note.partition == partition]
        assert own[0].offset == 0
        assert own[-1].program == "99.0.0"
    read = (Classifier([campaigns.load(file)]) for file in (old, new))
    classifiers = dict(zip(revisions, read, strict=True))
    outcomes, members = await truth(pipeline, found, classifiers)
    assert {name: counted[name] for name in outcomes} == outcomes
    campaign = counted["campaigns"]["metoo"]
    assert {name: campaign[name] for name in members} == members
    only_old, members_of_old = await truth(pipeline, found[:1], classifiers)
    assert only_old == outcomes
    assert members_of_old["total"] < campaign["total"], "the change has changed something"


async def test_a_newer_layout_takes_over_while_older_workers_count(
    new_pipeline: NewPipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline = new_pipeline("keyed")
    await ensure_topics(pipeline.settings.kafka)
    older = [pipeline.start_worker() for _ in range(2)]
    taken = asyncio.Event()
    feed = asyncio.create_task(pipeline.fill(POSTS, seed=5, rate=RATE, release=taken))
    await pipeline.wait_for(3_000)
    newer = {"STREAMS_TEST_LAYOUT": "2"}
    for _ in range(2):
        await asyncio.to_thread(
            pipeline.start_worker, program="tests.integration.newer", extra=newer
        )
    for worker in older:
        assert await asyncio.to_thread(worker.wait, 60) == 1
        assert "Redis holds layout 2" in worker.log_tail(20)
        assert "run the newer version" in worker.log_tail(20)
    refused = pipeline.start_worker(ready=False)
    assert await asyncio.to_thread(refused.wait, 60) == 1
    (line,) = [line for line in refused.log_tail(5).splitlines() if "layout" in line]
    assert line.startswith("streams: Redis holds layout 2 ")
    taken.set()
    await feed
    monkeypatch.setattr("streams.keys.LAYOUT_VERSION", 2)
    assert await pipeline.wait_for(POSTS) == pipeline.truth
