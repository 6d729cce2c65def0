"""Metrics of `streams ingest`, by source."""

from __future__ import annotations

import logging
import time
from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    ProcessCollector,
    disable_created_metrics,
)

from streams.ingest.live.source import KINDS, Kind

disable_created_metrics()  # type: ignore[no-untyped-call] # as the worker's

log: Final = logging.getLogger(__name__)
REGISTRY: Final = CollectorRegistry()
#: Why a record is left out, and what becomes of a webhook's request.
SKIPPED: Final = ("too_large", "private_message")
REQUESTS: Final = ("accepted", "verified", "bad_signature", "bad_body", "too_large", "busy")

# Records that came from the platform, repeats included.
RECEIVED: Final = Counter(
    "streams_ingest_received", "Records received.", ["source"], registry=REGISTRY
)

# Records that Kafka has acknowledged.  Received less produced less skipped is on its way.
PRODUCED: Final = Counter(
    "streams_ingest_produced", "Records acknowledged by Kafka.", ["source"], registry=REGISTRY
)

# Records that are left out on purpose: too_large for the raw topic, private_message.
SKIPPED_RECORDS: Final = Counter(
    "streams_ingest_skipped", "Records left out, by reason.", ["source", "reason"],
    registry=REGISTRY,
)  # fmt: skip

# Connections that ended, by reason: network, silent, http, rate, end.
RECONNECTS: Final = Counter(
    "streams_ingest_reconnects", "Connections made again, by reason.", ["source", "reason"],
    registry=REGISTRY,
)  # fmt: skip

# Posts were missed that the platform does not send again: the cursor is too old, the cut was too
# long, the timeline has no more pages.
GAPS: Final = Counter(
    "streams_ingest_gaps", "Times that posts were missed for good.", ["source"], registry=REGISTRY
)

# Waits that the platform asked for (Retry-After, a rate limit's reset), and their seconds.
RATE_LIMIT_WAITS: Final = Counter(
    "streams_ingest_rate_limit_waits", "Waits for a rate limit.", ["source"], registry=REGISTRY
)
RATE_LIMIT_SECONDS: Final = Counter(
    "streams_ingest_rate_limit_seconds", "Seconds of waiting for rate limits.", ["source"],
    registry=REGISTRY,
)  # fmt: skip

# Calls of Kafka that failed and were made again.
KAFKA_RETRIES: Final = Counter(
    "streams_ingest_kafka_retries", "Calls of Kafka made again.", ["source"], registry=REGISTRY
)

# Requests at the webhook receiver, by what became of them.
WEBHOOK_REQUESTS: Final = Counter(
    "streams_ingest_webhook_requests", "Requests at the webhook receiver, by outcome.",
    ["source", "outcome"], registry=REGISTRY,
)  # fmt: skip

# 1 while the source is connected (or listening).
CONNECTED: Final = Gauge(
    "streams_ingest_connected", "1 while the source is connected.", ["source"], registry=REGISTRY
)

# From the time of the newest record at the stored cursor until now: what a restart reads again.
CURSOR_AGE: Final = Gauge(
    "streams_ingest_cursor_age_seconds", "Age of the stored cursor.", ["source"], registry=REGISTRY
)

# How long the oldest record in hand has been waiting for Kafka; 0 where none is.
PENDING: Final = Gauge(
    "streams_ingest_pending_seconds", "Seconds that the oldest record waits for Kafka.",
    ["source"], registry=REGISTRY,
)  # fmt: skip

# process_cpu_seconds_total, process_resident_memory_bytes, ...
ProcessCollector(registry=REGISTRY)


class IngestObserver:
    """One source's metrics; also says the rare things in the log."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._since: float | None = None  # s, monotonic: the oldest record in hand
        self._cursor_ms: int | None = None
        self.is_connected = False
        for counter in (
            *(RECEIVED, PRODUCED, GAPS, RATE_LIMIT_WAITS, RATE_LIMIT_SECONDS, KAFKA_RETRIES),
        ):
            counter.labels(source)  # series begin at 0: an increase from nothing is none
        for kind in KINDS:
            RECONNECTS.labels(source, kind)
        for reason in SKIPPED:
            SKIPPED_RECORDS.labels(source, reason)
        CONNECTED.labels(source).set(0)
        PENDING.labels(source).set_function(self.pending)

    def pending(self) -> float:
        """Seconds that the oldest record in hand has been waiting; 0 where none is."""
        return 0.0 if self._since is None else time.monotonic() - self._since

    def connected(self, yes: bool) -> None:
        if yes and not self.is_connected:
            log.info("%s: connected", self._source)
        self.is_connected = yes
        CONNECTED.labels(self._source).set(int(yes))

    def received(self, records: int = 1) -> None:
        RECEIVED.labels(self._source).inc(records)

    def in_hand(self, since: float | None) -> None:
        """`since` (s, monotonic): when the oldest record in hand was taken; None for none."""
        self._since = since

    def produced(self, records: int) -> None:
        PRODUCED.labels(self._source).inc(records)

    def stored(self, at: int) -> None:
        """The cursor behind a record of this time (ms) is stored."""
        if self._cursor_ms is None:
            CURSOR_AGE.labels(self._source).set_function(self._cursor_age)
        self._cursor_ms = at

    def skipped(self, reason: str, why: str) -> None:
        SKIPPED_RECORDS.labels(self._source, reason).inc()
        log.warning("%s: a record is left out: %s", self._source, why)

    def gap(self, why: str) -> None:
        GAPS.labels(self._source).inc()
        log.error("%s: posts are missed: %s", self._source, why)

    def reconnecting(self, kind: Kind, why: str, seconds: float) -> None:
        RECONNECTS.labels(self._source, kind).inc()
        log.warning("%s: %s; connecting again in %.1f s", self._source, why, seconds)

    def rate_limited(self, seconds: float) -> None:
        RATE_LIMIT_WAITS.labels(self._source).inc()
        RATE_LIMIT_SECONDS.labels(self._source).inc(seconds)
        log.warning("%s: rate limit: waiting for %.0f s", self._source, seconds)

    def kafka_failed(self, why: str) -> None:
        KAFKA_RETRIES.labels(self._source).inc()
        log.warning("%s: Kafka: %s; trying again", self._source, why)

    def requested(self, outcome: str) -> None:
        WEBHOOK_REQUESTS.labels(self._source, outcome).inc()

    def _cursor_age(self) -> float:
        return max(0.0, time.time() - (self._cursor_ms or 0) / 1000)
