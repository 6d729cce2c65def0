"""The capacity model: its document is what its figures say, and it grows as it should."""

from __future__ import annotations

import pytest

from deploy.scale.model import DOCUMENT, RATES, figures, plan, post_us, written
from tests.benchmarks.scale_minute import run

FIGURES = figures()


def test_the_document_is_what_the_figures_say() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert written(text, FIGURES) == text, "make scale"


def test_a_document_without_its_marks_is_refused() -> None:
    with pytest.raises(ValueError, match="marks"):
        written("# How far it goes", FIGURES)


@pytest.mark.parametrize("rate", RATES.values())
def test_a_plan_carries_its_rate(rate: float) -> None:
    found = plan(rate, FIGURES)
    assert found.workers * FIGURES["worker"]["busy"] * 1e6 / post_us(FIGURES) >= rate
    assert found.partitions >= 2 * found.workers
    assert rate / found.partitions <= FIGURES["partition"]["most_posts"]
    room = found.redis_nodes * FIGURES["redis"]["node_gib"] * FIGURES["redis"]["full"]
    assert room >= found.redis_gib >= found.seen_gib
    assert found.redis_nodes * FIGURES["redis"]["busy"] >= found.redis_cores


def test_plans_grow_with_the_rate() -> None:
    plans = [plan(rate, FIGURES) for rate in sorted(RATES.values())]
    for field in ("cores", "workers", "partitions", "redis_nodes", "disk_tib", "money"):
        values = [getattr(found, field) for found in plans]
        assert values == sorted(values), field


def test_a_minute_runs() -> None:
    """Its figures are checked by `make scale-minute`: timing is no test's."""
    found = run(1_000.0, 2.0)
    assert found.posts == 2_000
    assert found.per_parse > 0
    assert found.fields > 0
