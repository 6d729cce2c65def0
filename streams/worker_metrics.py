"""Every metric of a worker: name, type, labels and meaning.

A worker counts what it did.  What Redis holds is published by the exporter
(`streams/exporter/metrics.py`): the same post is counted here once by each worker that took it in
hand, there once.
"""

from __future__ import annotations

import platform as interpreter
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from threading import Lock
from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.metrics_core import HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from streams import __version__
from streams.posts.post import UNREADABLE

disable_created_metrics()  # type: ignore[no-untyped-call] # `_created` series: nothing reads them, and they double the counters

REGISTRY: Final = CollectorRegistry()
_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class ManyHistogram(Collector):
    """A histogram that takes a batch of values at once: a sort and a search per bucket, not one
    call (1.5 us) a post."""

    def __init__(
        self, name: str, documentation: str, buckets: Sequence[float], registry: CollectorRegistry
    ) -> None:
        self._name, self._documentation = name, documentation
        self._bounds = tuple(buckets)
        self._counts = [0] * (len(self._bounds) + 1)
        self._sum = 0.0
        self._lock = Lock()
        registry.register(self)

    def observe(self, value: float) -> None:
        self.observe_many((value,))

    def observe_many(self, values: Iterable[float]) -> None:
        ordered = sorted(values)
        with self._lock:
            self._sum += sum(ordered)
            below = 0
            for index, bound in enumerate(self._bounds):
                upto = bisect_right(ordered, bound)  # `le`: the bound itself belongs to its bucket
                self._counts[index] += upto - below
                below = upto
            self._counts[-1] += len(ordered) - below

    def collect(self) -> Iterator[Metric]:
        with self._lock:
            counts, total = list(self._counts), self._sum
        cumulative, buckets = 0, []
        for bound, count in zip((*self._bounds, float("inf")), counts, strict=True):
            cumulative += count
            buckets.append(("+Inf" if bound == float("inf") else str(float(bound)), cumulative))
        yield HistogramMetricFamily(
            self._name, self._documentation, buckets=buckets, sum_value=total
        )

    def describe(self) -> Iterator[Metric]:
        yield HistogramMetricFamily(self._name, self._documentation)


# Records by platform and by what became of them: counted, duplicate, dead, ignored, late; each
# record has one outcome.  platform="unknown" where it could not be decoded.
POSTS: Final = Counter(
    "streams_posts", "Records read, by outcome.", ["platform", "outcome"], registry=REGISTRY
)

# Records in another partition than the one their uid belongs to.  Their repeats cannot be found.
MISPLACED: Final = Counter(
    "streams_misplaced", "Records that are not in the partition of their uid.", registry=REGISTRY
)

# Dead letters by reason; the reasons are few and fixed (streams/posts/).
DEAD: Final = Counter(
    "streams_dead", "Records that could not be read, by reason.", ["reason"], registry=REGISTRY
)

# Records in one committed batch of one partition.
BATCH_POSTS: Final = Histogram(
    "streams_batch_posts",
    "Records in a committed batch.",
    buckets=(1, 10, 50, 100, 250, 500, 1000, 2000, 4000, 8000, 16000),
    registry=REGISTRY,
)

# From a batch's first call to its commit: reading what Redis knows, adding up, outputs, commit.
BATCH_SECONDS: Final = Histogram(
    "streams_batch_seconds",
    "Seconds that a batch took, commit included.",
    buckets=_SECONDS,
    registry=REGISTRY,
)

# The Redis script that writes a batch, reply included.
COMMIT_SECONDS: Final = Histogram(
    "streams_commit_seconds",
    "Seconds that the commit of a batch took.",
    buckets=_SECONDS,
    registry=REGISTRY,
)

# Batches that were not written because the stored position was another one:
# moved (another worker, or a repeated command), rolled_back (Redis went back in time), lost_batch.
REJECTIONS: Final = Counter(
    "streams_commit_rejections",
    "Batches dropped because Redis held another position, by reason.",
    ["reason"],
    registry=REGISTRY,
)

# Calls of Redis or Kafka that failed and were made again, by what was called.
RETRIES: Final = Counter(
    "streams_retries", "Calls that failed and were made again.", ["reason"], registry=REGISTRY
)

# Reposts and replies that come without the post they are about (Bluesky).  A miss is counted as a
# post without that post's hashtags.
INHERITED: Final = Counter(
    "streams_inherited",
    "Reposts and replies that looked for their subject's hashtags and campaigns, by result.",
    ["result"],
    registry=REGISTRY,
)

# Records between the next one to count and the log's end, for each assigned partition.
LAG: Final = Gauge(
    "streams_lag_posts",
    "Records of the partition that are not counted yet.",
    ["partition"],
    registry=REGISTRY,
)

# The same before it, with `kafka.input = "any"`: of the raw topic's partitions.
FORWARD_LAG: Final = Gauge(
    "streams_forward_lag_posts",
    "Records of the raw partition that are not forwarded to the keyed topic yet.",
    ["partition"],
    registry=REGISTRY,
)

# From a post's created_at to its commit.  In a replay of an old day this is the age of the day.
EVENT_AGE: Final = ManyHistogram(
    "streams_event_age_seconds",
    "Seconds from a post's creation to its being counted.",
    (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 21_600, 86_400),
    REGISTRY,
)

# 1 for each assigned partition that paused at the dead-letter limit.
PAUSED: Final = Gauge(
    "streams_partition_paused",
    "1 while the partition is paused by the dead-letter limit.",
    ["partition"],
    registry=REGISTRY,
)

# new_log (a topic made anew), retention (posts lost before they were read), paused.
INCIDENTS: Final = Counter(
    "streams_incidents",
    "Things that should not happen to a log, by kind.",
    ["kind"],
    registry=REGISTRY,
)

# Always 1; says what runs.
BUILD_INFO: Final = Gauge(
    "streams_build_info", "Version of the package.", ["version", "python"], registry=REGISTRY
)
# Series begin at 0: an increase from nothing to 1 is none for Prometheus.
for _counter, _values in (
    (DEAD, (*UNREADABLE, "future")),
    (REJECTIONS, ("moved", "rolled_back", "lost_batch")),
    (RETRIES, ("redis", "kafka", "batch", "watch", "forward")),
    (INCIDENTS, ("retention", "new_log", "paused")),
    (INHERITED, ("hit", "miss")),
):
    for _value in _values:
        _counter.labels(_value)

BUILD_INFO.labels(__version__, interpreter.python_version()).set(1)

# process_cpu_seconds_total, process_resident_memory_bytes, process_open_fds, ...
ProcessCollector(registry=REGISTRY)
