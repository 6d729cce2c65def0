"""The benchmark works and writes what it promises; nothing is asserted about its figures."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.benchmarks import bench
from tests.benchmarks.firehose import PAYLOADS, Firehose
from tests.benchmarks.plain_work import parse

FIELDS = {
    "system": str,
    "payload": str,
    "campaign_share": float,
    "workers": int,
    "posts": int,
    "posts_per_second": int,
    "posts_per_cpu_second": int,
    "redis_cpu_seconds_per_million": float,
    "rss_mb": float,
    "ratio_to_ceiling": float,
    "exact": bool,
}


# Slow: a Kafka of its own (5 s), eight processes that read a topic, and a worker (3 s).
@pytest.mark.slow
def test_a_small_benchmark(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "BENCH.json"
    asked = ["--payload", "compact-v2", "--share", "0.05", "--systems", "streams"]
    assert bench.main(["--posts", "3000", "--runs", "1", "--out", str(out), *asked]) == 0
    ceiling, own = json.loads(out.read_text())
    assert (ceiling["system"], own["system"]) == ("ceiling", "streams")
    assert ceiling["ratio_to_ceiling"] == 1
    assert {name: type(value) for name, value in own.items()} == FIELDS
    assert own["posts"] == 3000
    assert own["exact"] is True
    printed = capsys.readouterr().out
    assert "of the ceiling" in printed
    assert "streams on compact-v2, 5% of a campaign" in printed


@pytest.mark.parametrize("payload", PAYLOADS.values(), ids=lambda payload: payload.name)
def test_the_firehose_is_the_same_for_a_seed(payload: object) -> None:
    assert isinstance(payload, type(PAYLOADS["v1.1"]))
    one, two = (Firehose(payload, 500, share=0.5, seed=7) for _ in range(2))
    assert list(one) == list(two)
    assert one.document() == two.document()
    assert one.document()["posts"] == 500


def test_the_other_systems_work_leads_to_the_same_counts() -> None:
    firehose = Firehose(PAYLOADS["compact-v2"], 3000, share=0.5)
    posts = {post.uid: post for post in (parse(line.value) for line in firehose)}
    truth = firehose.document()
    assert len(posts) == truth["counted"]
    assert sum(len(post.tags) for post in posts.values()) == sum(truth["hashtags"].values())
