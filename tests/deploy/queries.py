"""Every query of the shipped dashboards and rules, as a real Prometheus can run it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import yaml

DEPLOY: Final = Path(__file__).resolve().parents[2] / "deploy"
DASHBOARDS: Final = DEPLOY / "grafana" / "dashboards"
RULES: Final = DEPLOY / "prometheus" / "rules"

# What Grafana puts in for its variables; the intervals are short enough for a test's Prometheus.
VALUES: Final[Mapping[str, str]] = {
    "namespace": ".*",
    "campaign": "metoo",
    "hashtag": ".+",
    "window": "5m",
    "worker": ".*",
    "__rate_interval": "1m",
    "__range": "1h",
}
# Series whose absence is what they say: not rising, not expected within 24 h, no limit, no alert.
SOMETIMES_ABSENT: Final = (
    "streams_campaign_doubling_seconds",
    "streams_hashtag_doubling_seconds",
    "streams_campaign_milestone_posts",
    "streams_campaign_milestone_forecast_timestamp_seconds",
    "streams_campaign_milestone_reached_timestamp_seconds",
    "streams_campaign_threshold_forecast_timestamp_seconds",
    "streams_redis_memory_limit_bytes",
    "ALERTS",
)
VARIABLE: Final = re.compile(r"\$(?:\{(\w+)\}|(\w+))")


class Where(NamedTuple):
    """A file (without its suffix), and the panel, annotation, alert or record in it."""

    file: str
    title: str


def dashboards() -> dict[str, dict[str, Any]]:
    """The checked-in dashboards, by the name of the file."""
    return {path.stem: json.loads(path.read_text()) for path in sorted(DASHBOARDS.glob("*.json"))}


def panels(dashboard: Mapping[str, Any]) -> list[dict[str, Any]]:
    """All panels but the titles of rows."""
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def filled_in(expression: str) -> str:
    """With values for the variables.

    Raises:
        KeyError: a variable that no dashboard has.
    """
    return VARIABLE.sub(lambda found: VALUES[found[1] or found[2]], expression)


def may_be_empty(expression: str) -> bool:
    """Whether a panel without data is right: see `SOMETIMES_ABSENT`."""
    return any(metric in expression for metric in SOMETIMES_ABSENT)


def panel_queries() -> list[tuple[Where, str]]:
    """Queries of all panels and annotations, with values for the variables."""
    return [(where, filled_in(expression)) for where, expression in raw_panel_queries()]


def raw_panel_queries() -> Iterator[tuple[Where, str]]:
    """The same as they are written, with variables."""
    for name, dashboard in dashboards().items():
        for panel in panels(dashboard):
            for target in panel["targets"]:
                yield Where(name, panel["title"]), target["expr"]
        for annotation in dashboard["annotations"]["list"]:
            yield Where(name, f"annotation {annotation['name']}"), annotation["expr"]


def rule_queries() -> list[tuple[Where, str]]:
    """Expressions of all rules: one that alerts gives data only while it does."""
    return [
        (Where(path.stem, str(rule.get("alert") or rule["record"])), str(rule["expr"]))
        for path in sorted(RULES.glob("*.yml"))
        for group in yaml.safe_load(path.read_text())["groups"]
        for rule in group["rules"]
    ]
