"""The dashboard Pipeline: can the numbers be trusted, for those who run the system."""

from __future__ import annotations

from deploy.grafana.layout import Section, place
from deploy.grafana.resources import REDIS, WORKERS
from deploy.grafana.sdk import dashboard
from deploy.grafana.sources import SOURCES
from deploy.grafana.throughput import BATCHES, LAG, THROUGHPUT
from deploy.grafana.trust import TRUST
from deploy.grafana.variables import alerts, board, chosen


def pipeline() -> dashboard.Dashboard:
    """Build it; uid `streams-pipeline`."""
    made = (
        board(
            "Pipeline",
            "streams-pipeline",
            "Whether the numbers of Spread can be trusted: is anything late, lost, counted twice, "
            "or stuck? Workers say what they did, exporters what Redis holds.",
        )
        .with_variable(
            chosen(
                "worker",
                "Worker",
                "Workers, by their address, for what they say of themselves.",
                'label_values(streams_build_info{namespace=~"$namespace"}, instance)',
                everything=".*",
                multi=True,
            )
        )
        .annotation(
            alerts(
                'ALERTS{alertname=~"Streams.*", alertstate="firing", namespace=~"$namespace", '
                'campaign=""}'
            )
        )
    )
    return place(
        made,
        [
            Section("Can the numbers be trusted?", TRUST),
            Section("Throughput", THROUGHPUT),
            Section("Behind by how much", LAG),
            Section("Batches, and what went wrong", BATCHES),
            Section("Redis and exporters", REDIS),
            Section("Workers", WORKERS),
            Section("Live sources", SOURCES),
        ],
    )
