"""What a worker reports of what it does: metrics, and log lines without author or text."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Mapping
from typing import Final

from streams import worker_metrics as metrics
from streams.increments import Result
from streams.reading import Reading

log: Final = logging.getLogger(__name__)

_QUIET_SECONDS: Final = 10.0  # the same complaint is logged no more often


class WorkerObserver:
    """Feeds the metrics; never decides anything."""

    def __init__(self) -> None:
        self._said: dict[str, float] = {}

    def committed(self, reading: Reading, result: Result, seconds: Mapping[str, float]) -> None:
        for (platform, outcome), n in result.outcomes.items():
            metrics.POSTS.labels(platform, outcome).inc(n)
        for reason, n in result.reasons.items():
            metrics.DEAD.labels(reason).inc(n)
        if reading.misplaced:
            metrics.MISPLACED.inc(reading.misplaced)
        metrics.BATCH_POSTS.observe(reading.taken)
        metrics.BATCH_SECONDS.observe(sum(seconds.values()))
        metrics.COMMIT_SECONDS.observe(seconds["commit"])
        now = time.time() * 1000
        metrics.EVENT_AGE.observe_many(max(0.0, (now - created) / 1000) for created in result.ages)

    def rejected(self, reason: str) -> None:
        metrics.REJECTIONS.labels(reason).inc()
        self._say(logging.INFO, f"position: {reason}; starting again from what Redis holds")

    def waiting(self, reason: str) -> None:
        metrics.RETRIES.labels(reason.partition(":")[0]).inc()
        self._say(logging.WARNING, f"waiting, {reason}")

    def incident(self, kind: str, **facts: object) -> None:
        metrics.INCIDENTS.labels(kind).inc()
        if kind == "paused":
            metrics.PAUSED.labels(str(facts["partition"])).set(1)
        log.error("%s: %s", kind, ", ".join(f"{name}={value}" for name, value in facts.items()))

    def inherited(self, hits: int, misses: int) -> None:
        """Reposts and replies without their subject: how many found what it left."""
        metrics.INHERITED.labels("hit").inc(hits)
        metrics.INHERITED.labels("miss").inc(misses)

    def assigned(self, partitions: Collection[str]) -> None:
        """`partitions` as topic:partition."""
        metrics.LAG.clear()
        metrics.FORWARD_LAG.clear()
        metrics.PAUSED.clear()
        for name in partitions:
            metrics.PAUSED.labels(name).set(0)
        log.info("assigned partitions: %s", ", ".join(sorted(partitions)) or "none")

    def lag(self, partition: int, posts: int) -> None:
        metrics.LAG.labels(str(partition)).set(posts)

    def forward_lag(self, partition: int, posts: int) -> None:
        metrics.FORWARD_LAG.labels(str(partition)).set(posts)

    def _say(self, level: int, text: str) -> None:
        now = time.monotonic()
        if now - self._said.get(text, -_QUIET_SECONDS) >= _QUIET_SECONDS:
            self._said[text] = now
            log.log(level, "%s", text)
        if len(self._said) > 100:
            self._said.clear()
