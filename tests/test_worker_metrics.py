from __future__ import annotations

from prometheus_client import CollectorRegistry, Histogram, generate_latest

from streams import worker_metrics
from streams.worker_metrics import REGISTRY, ManyHistogram


def test_many_values_at_once_are_as_one_by_one() -> None:
    values = [0.0, 0.1, 0.1, 0.5, 1.0, 1.5, 2.0, 7.0, -1.0]
    many, one = CollectorRegistry(), CollectorRegistry()
    histogram = ManyHistogram("age_seconds", "Age.", (0.1, 1, 2), many)
    single = Histogram("age_seconds", "Age.", buckets=(0.1, 1, 2), registry=one)
    histogram.observe_many(values[:5])
    histogram.observe_many([])
    histogram.observe_many(values[5:])
    for value in values:
        single.observe(value)
    assert generate_latest(many) == generate_latest(one)


def test_the_names_of_the_contract() -> None:
    worker_metrics.POSTS.labels("x", "counted").inc(0)
    text = generate_latest(REGISTRY).decode()
    for name in (
        'streams_posts_total{outcome="counted",platform="x"}',
        "streams_misplaced_total",
        "streams_dead_total",
        "streams_batch_posts_bucket",
        "streams_batch_seconds_bucket",
        "streams_commit_seconds_bucket",
        "streams_commit_rejections_total",
        "streams_lag_posts",
        "streams_event_age_seconds_bucket",
        "streams_build_info{",
    ):
        assert name.partition("{")[0].removesuffix("_bucket") in text
    assert "_created" not in text
