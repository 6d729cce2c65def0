"""Pipeline: what platforms send, and whether all of it gets to Kafka (`streams ingest`)."""

from __future__ import annotations

from typing import Final

from deploy.grafana import palette
from deploy.grafana.layout import Line, line
from deploy.grafana.panels import Query, lines
from deploy.grafana.promql import held, ingested

_BY_SOURCE: Final = "{{source}}"
_BY_REASON: Final = "{{source}}: {{reason}}"
_NEVER: Final = "A line for each source that runs; empty where `streams ingest` is not used."


def _each(metric: str, *by: str) -> str:
    """Times that something happened since a process started, by source."""
    return held(f"streams_ingest_{metric}_total", "source", *by)


SOURCES: Final[tuple[Line, ...]] = (
    line(
        8,
        lines(
            "Received by source",
            f"Records per second that the platform sends, repeats included. {_NEVER}",
            [Query(ingested("received"), _BY_SOURCE)],
            "suffix: /s",
            stacked="normal",
            decimals=1,
        ),
        lines(
            "On the way to Kafka",
            "How long the oldest record in hand has been waiting for Kafka. Above 60 s Kafka does "
            "not take what comes; nothing is dropped, the source is read no further.",
            [Query(held("streams_ingest_pending_seconds", "source"), _BY_SOURCE)],
            "s",
            decimals=1,
        ),
        lines(
            "Age of the stored cursor",
            "From the newest record behind the stored cursor until now: what a restart reads "
            "again. One that grows: nothing comes, or nothing is acknowledged.",
            [Query(held("streams_ingest_cursor_age_seconds", "source"), _BY_SOURCE)],
            "s",
            decimals=0,
        ),
    ),
    line(
        8,
        lines(
            "Connected",
            "1 while a source is connected, or its webhook listens; 0 for minutes: the log says "
            "why each attempt failed.",
            [Query(held("streams_ingest_connected", "source"), _BY_SOURCE)],
            "none",
            highest=1,
            decimals=0,
        ),
        lines(
            "Connections made again",
            "By reason, since the process started: network, silent (no heartbeat), http (an error "
            "status), rate (a limit), end (the platform closed it).",
            [Query(_each("reconnects", "reason"), _BY_REASON)],
            "none",
            decimals=0,
        ),
        lines(
            "Gaps, waits, and what is left out",
            "Since the process started: gaps (posts were missed that the platform does not send "
            "again), waits for a rate limit, records left out on purpose. Gaps should stay at 0.",
            [
                Query(_each("gaps"), "{{source}}: gaps"),
                Query(_each("rate_limit_waits"), "{{source}}: waits for a rate limit"),
                Query(_each("skipped", "reason"), _BY_REASON),
            ],
            "none",
            dashed={"/: gaps$/": palette.VERMILION},
            decimals=0,
        ),
    ),
)
