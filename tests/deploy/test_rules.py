"""Rules, routes and runbook: checked by Prometheus' and Alertmanager's own tools, and as text."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from streams.exporter.metrics import DEFINITIONS
from tests.deploy.queries import DEPLOY, RULES
from tests.deploy.rule_cases import CASES, Case, Series

RULE_FILES = sorted(RULES.glob("*.yml"))
STORIES = sorted((DEPLOY / "prometheus" / "tests").glob("*.yml"))
ALERTMANAGER = DEPLOY / "alertmanager" / "alertmanager.yml"
RUNBOOK = (DEPLOY / "RUNBOOK.md").read_text(encoding="utf-8")
PACKAGE = DEPLOY.parent / "streams"
METRIC = re.compile(r"\bstreams_[a-z_0-9]+")


def rules() -> list[dict[str, Any]]:
    return [
        rule
        for path in RULE_FILES
        for group in yaml.safe_load(path.read_text())["groups"]
        for rule in group["rules"]
    ]


ALERTS = {rule["alert"]: rule for rule in rules() if "alert" in rule}


def run(*command: str | Path) -> str:
    found = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert found.returncode == 0, found.stdout + found.stderr
    return found.stdout + found.stderr


def test_rules_and_configurations_are_valid(tool: Callable[[str], str]) -> None:
    run(tool("promtool"), "check", "rules", *RULE_FILES)
    run(tool("promtool"), "check", "config", DEPLOY / "prometheus" / "prometheus.yml")
    run(tool("amtool"), "check-config", ALERTMANAGER)


@pytest.mark.parametrize("path", STORIES, ids=[path.stem for path in STORIES])
def test_stories(tool: Callable[[str], str], path: Path) -> None:
    """When alerts begin and end, and their texts word by word."""
    run(tool("promtool"), "test", "rules", path)


def test_every_alert_has_its_cases() -> None:
    assert CASES.keys() | told_and_not() == ALERTS.keys()


def told_and_not() -> set[str]:
    """Alerts of which a story says when they fire, and when they do not."""
    found: dict[str, set[bool]] = {}
    for path in STORIES:
        for story in yaml.safe_load(path.read_text())["tests"]:
            for test in story.get("alert_rule_test", ()):
                found.setdefault(test["alertname"], set()).add(bool(test["exp_alerts"]))
    return {name for name, outcomes in found.items() if outcomes == {True, False}}


def case_file(folder: Path, alert: str, series: Series, expected: dict[str, Any]) -> Path:
    path = folder / f"{alert}.yml"
    document = {
        "rule_files": [str(rule_file) for rule_file in RULE_FILES],
        "evaluation_interval": "15s",
        "tests": [
            {
                "interval": "15s",
                "external_labels": {"runbook_base": "https://example.org/"},
                "input_series": [{"series": s, "values": v} for s, v in series.items()],
                **expected,
            }
        ],
    }
    path.write_text(yaml.safe_dump(document))
    return path


def firing(alert: str, at: int, count: int) -> dict[str, Any]:
    expression = f'count(ALERTS{{alertname="{alert}",alertstate="firing"}})'
    samples = [{"labels": "{}", "value": count}] if count else []
    test = {"expr": expression, "eval_time": f"{at}m", "exp_samples": samples}
    return {"promql_expr_test": [test]}


@pytest.mark.parametrize(("alert", "case"), CASES.items(), ids=list(CASES))
def test_it_fires_and_it_does_not(
    tool: Callable[[str], str], tmp_path: Path, alert: str, case: Case
) -> None:
    promtool = tool("promtool")
    expected = firing(alert, case.at, case.count)
    run(promtool, "test", "rules", case_file(tmp_path, alert, case.fires, expected))
    if alert != "StreamsWatchdog":  # fires always
        quiet = firing(alert, case.at, 0)
        run(promtool, "test", "rules", case_file(tmp_path, alert, case.quiet, quiet))


@pytest.mark.parametrize(("alert", "case"), CASES.items(), ids=list(CASES))
def test_its_text_can_be_written(
    tool: Callable[[str], str], tmp_path: Path, alert: str, case: Case
) -> None:
    """Expecting nothing, promtool shows what it got instead: the texts as they would be sent."""
    nothing = {
        "alert_rule_test": [{"eval_time": f"{case.at}m", "alertname": alert, "exp_alerts": []}]
    }
    path = case_file(tmp_path, alert, case.fires, nothing)
    found = subprocess.run(
        [tool("promtool"), "test", "rules", path], capture_output=True, text=True, timeout=60
    )
    said = found.stdout + found.stderr
    assert "description=" in said
    assert "error expanding" not in said
    assert "<no value>" not in said
    description = said.partition("description=")[2].partition("runbook_url=")[0]
    assert re.search(r"\d", description)


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_says_everything_an_operator_needs(name: str) -> None:
    rule = ALERTS[name]
    assert {"for", "labels", "annotations"} <= rule.keys()
    assert rule["labels"].get("severity") or name == "StreamsCampaignAboveThreshold"
    texts = rule["annotations"]
    assert {"summary", "description", "runbook_url"} == texts.keys()
    assert "{{" in texts["description"]
    assert (
        texts["runbook_url"] == f"{{{{ $externalLabels.runbook_base }}}}RUNBOOK.md#{name.lower()}"
    )
    assert re.search(rf"^## {name}$", RUNBOOK, re.MULTILINE)


def test_the_runbook_has_no_section_of_an_alert_that_is_gone() -> None:
    assert set(re.findall(r"^## (Streams\w+)$", RUNBOOK, re.MULTILINE)) == ALERTS.keys()


def test_no_rate_of_an_exporters_counter() -> None:
    exported = {definition.name for definition in DEFINITIONS}
    for rule in rules():
        for metric in re.findall(
            r"\b(?:rate|irate|increase|delta)\(\s*(streams_\w+)", rule["expr"]
        ):
            assert metric.removesuffix("_total") not in exported, rule["expr"]


def test_every_metric_exists() -> None:
    source = "\n".join(
        (PACKAGE / name).read_text()
        for name in ("worker_metrics.py", "exporter/metrics.py", "ingest/live/metrics.py")
    )
    known = set(re.findall(r'"(streams_[a-z_0-9]+)"', source))
    for rule in rules():
        texts = [rule["expr"], *rule.get("annotations", {}).values()]
        for metric in METRIC.findall("\n".join(texts)):
            name = re.sub(r"_(total|bucket|count|sum)$", "", metric)
            assert metric in known or name in known, metric
