"""The dashboards: current, complete, and made of metrics and PromQL that exist."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml

from streams import worker_metrics
from streams.exporter import metrics as exporter_metrics
from streams.ingest.live import metrics as ingest_metrics
from tests.deploy.queries import (
    DASHBOARDS,
    DEPLOY,
    VALUES,
    VARIABLE,
    dashboards,
    panel_queries,
    panels,
    raw_panel_queries,
)

ROOT = DEPLOY.parent
GRAFANA = DEPLOY / "grafana"
BOARDS = dashboards()
PANELS = [
    pytest.param(panel, id=f"{name}-{panel['id']}")
    for name, board in BOARDS.items()
    for panel in panels(board)
]
BUILT_IN = {"__all", "__rate_interval", "__range"}
METRIC = re.compile(r"\b(?:streams|process)_\w+|\bup\b|\bALERTS\b")
OF_PROMETHEUS = {"up", "ALERTS"}


def generate(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "deploy.grafana.generate", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_checked_in_files_are_current() -> None:
    pytest.importorskip("grafana_foundation_sdk", reason="needs grafana-foundation-sdk")
    done = generate("--check")
    assert (done.returncode, done.stderr) == (0, "")


def test_check_says_what_to_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pytest.importorskip("grafana_foundation_sdk", reason="needs grafana-foundation-sdk")
    from deploy.grafana import generate as module

    assert module.outdated() == []
    assert [path.name for path in module.outdated(tmp_path)] == ["pipeline.json", "spread.json"]
    said: list[str] = []
    monkeypatch.setattr(module, "outdated", lambda: [tmp_path / "spread.json"])
    monkeypatch.setattr(module.sys.stderr, "write", said.append)
    assert module.main(["--check"]) == 1
    assert said == ["not current: spread.json; run: .venv/bin/python -m deploy.grafana.generate\n"]


def test_bad_usage_is_refused() -> None:
    pytest.importorskip("grafana_foundation_sdk", reason="needs grafana-foundation-sdk")
    done = generate("--chekc")
    assert done.returncode == 2
    assert done.stderr.startswith("usage: ")


@pytest.mark.parametrize("panel", PANELS)
def test_every_panel_says_what_it_is(panel: dict[str, Any]) -> None:
    assert panel["title"]
    assert len(panel["description"]) > 40
    assert panel["description"].endswith(".")
    assert panel["fieldConfig"]["defaults"]["unit"]
    assert panel["targets"]
    references = [target["refId"] for target in panel["targets"]]
    assert len(set(references)) == len(references)
    for target in panel["targets"]:
        assert target["expr"]
        assert target["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
        assert target.get("instant", False) is not target.get("range", False)


@pytest.mark.parametrize("name", BOARDS)
def test_no_two_panels_overlap(name: str) -> None:
    places = [panel["gridPos"] for panel in BOARDS[name]["panels"]]
    assert all(at["x"] >= 0 and at["x"] + at["w"] <= 24 and at["h"] > 0 for at in places)
    for one, other in combinations(places, 2):
        apart = (
            one["x"] + one["w"] <= other["x"]
            or other["x"] + other["w"] <= one["x"]
            or one["y"] + one["h"] <= other["y"]
            or other["y"] + other["h"] <= one["y"]
        )
        assert apart, (one, other)


@pytest.mark.parametrize("name", BOARDS)
def test_dashboards_open_as_they_should(name: str) -> None:
    board = BOARDS[name]
    assert board["uid"] == f"streams-{name}"
    assert board["tags"] == ["streams"]
    assert board["refresh"] == "10s"
    assert board["time"] == {"from": "now-6h", "to": "now"}
    assert board["timezone"] == "browser"
    assert [link["tags"] for link in board["links"]] == [["streams"]]
    numbers = [panel["id"] for panel in board["panels"]]
    assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize("name", BOARDS)
def test_every_variable_used_exists_and_every_one_is_used(name: str) -> None:
    board = BOARDS[name]
    defined = {variable["name"] for variable in board["templating"]["list"]}
    used = {a or b for a, b in VARIABLE.findall(json.dumps(board))} - BUILT_IN
    assert used == defined
    assert defined - {"datasource"} <= VALUES.keys()
    assert all(
        variable["description"] and variable["label"] for variable in board["templating"]["list"]
    )


@pytest.mark.parametrize("name", BOARDS)
def test_an_override_by_name_names_something(name: str) -> None:
    """A name that no series can have is a colour that never shows."""
    for panel in panels(BOARDS[name]):
        headings: set[str] = set()
        for step in panel.get("transformations", ()):
            headings |= set(step["options"].get("renameByName", {}).values())
        legends = {target["legendFormat"] for target in panel["targets"]}
        fixed = {legend for legend in legends if "{{" not in legend} | headings
        for override in panel["fieldConfig"].get("overrides", ()):
            chosen = override["matcher"]["options"]
            if override["matcher"]["id"] == "byName" and not any("{{" in one for one in legends):
                assert chosen in fixed, (panel["title"], chosen)


@pytest.mark.parametrize("name", BOARDS)
def test_colours_are_those_that_everybody_can_tell_apart(name: str) -> None:
    okabe_ito = [
        "#E69F00",
        "#56B4E9",
        "#009E73",
        "#F0E442",
        "#0072B2",
        "#D55E00",
        "#CC79A7",
        "#999999",
    ]
    text = json.dumps(BOARDS[name])
    assert set(re.findall(r"#[0-9A-Fa-f]{6}\b", text)) <= set(okabe_ito)
    assert set(re.findall(r'"mode": "((?:continuous|palette)[\w-]+)"', text)) == {"continuous-YlBl"}


def known_metrics() -> set[str]:
    """Names of all series that workers, exporters and sources can publish."""
    found = {
        f"{each.name}_total" if each.kind == "counter" else each.name
        for each in exporter_metrics.DEFINITIONS
    }
    registry = worker_metrics.CollectorRegistry()
    exporter_metrics.read_seconds(registry)
    exporter_metrics.read_failures(registry)
    for collected in (worker_metrics.REGISTRY, ingest_metrics.REGISTRY, registry):
        for family in collected.collect():
            suffixes = {
                "counter": ("_total",),
                "histogram": ("_bucket", "_sum", "_count"),
            }.get(family.type, ("",))
            found |= {family.name + suffix for suffix in suffixes}
    return found


def test_every_metric_in_a_query_is_defined() -> None:
    known = known_metrics() | OF_PROMETHEUS
    unknown = {
        (where, metric)
        for where, expression in panel_queries()
        for metric in METRIC.findall(re.sub(r'"[^"]*"', '""', expression))
        if metric not in known and not metric.startswith("process_")
    }
    assert unknown == set()


def test_every_metric_of_the_exporter_is_shown() -> None:
    shown = " ".join(expression for _, expression in panel_queries())
    names = {
        f"{each.name}_total" if each.kind == "counter" else each.name
        for each in exporter_metrics.DEFINITIONS
    }
    # An offset by itself says nothing to a reader; its lag is shown.
    assert {name for name in names if name not in shown} <= {"streams_partition_offset"}


def test_what_exporters_hold_is_taken_as_a_maximum() -> None:
    """Several exporters publish the same truth: no sum over instances, and no rates of totals."""
    held = {
        f"{each.name}_total" if each.kind == "counter" else each.name
        for each in exporter_metrics.DEFINITIONS
    }
    # Of itself, not of what Redis holds: the panel shows each exporter.
    own = {"streams_redis_read_timestamp_seconds"}
    for where, expression in panel_queries():
        for name in held - own:
            for found in re.finditer(rf"\b{name}\b", expression):
                before = expression[: found.start()]
                assert re.search(r"max by \([\w, ]+\) \($", before), (where, name)
        assert not re.search(r"(?:rate|increase|delta)\((?:" + "|".join(held) + r")\b", expression)


def test_every_query_is_promql(tool: Callable[[str], str], tmp_path: Path) -> None:
    promtool = tool("promtool")
    rules = [
        {"record": f"query:{number}", "expr": expression}
        for number, (_, expression) in enumerate(panel_queries())
    ]
    path = tmp_path / "queries.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": rules}]}))
    done = subprocess.run(
        [promtool, "check", "rules", path], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{len(rules)} rules found" in done.stdout


def test_queries_of_a_repeated_row_are_of_its_campaign() -> None:
    """In a row that repeats by campaign, each query has to choose the row's own."""
    repeated: set[str] = set()
    inside = False
    for panel in BOARDS["spread"]["panels"]:
        if panel["type"] == "row":
            inside = panel.get("repeat") == "campaign"
        elif inside:
            repeated.add(panel["title"])
    of_all = {
        "streams_campaign_burst_alarm_score",
        "streams_watermark_timestamp_seconds",
    }
    assert repeated
    for where, expression in raw_panel_queries():
        if where.file == "spread" and where.title in repeated:
            for metric, selector in re.findall(r"(streams_\w+)\{([^}]*)\}", expression):
                assert metric in of_all or '=~"$campaign"' in selector, (where, metric)


def test_provisioning_finds_the_dashboards() -> None:
    sources = yaml.safe_load((GRAFANA / "provisioning/datasources/streams.yaml").read_text())
    providers = yaml.safe_load((GRAFANA / "provisioning/dashboards/streams.yaml").read_text())
    assert [source["type"] for source in sources["datasources"]] == ["prometheus"]
    assert [provider["type"] for provider in providers["providers"]] == ["file"]


def test_the_sidecar_gets_each_dashboard() -> None:
    made = yaml.safe_load((GRAFANA / "kustomization.yaml").read_text())
    files = [file for one in made["configMapGenerator"] for file in one["files"]]
    assert files == [f"dashboards/{path.name}" for path in sorted(DASHBOARDS.glob("*.json"))]
    assert made["generatorOptions"]["labels"]["grafana_dashboard"] == "1"
    for file in files:
        # kubectl apply keeps the object in an annotation of at most 256 KiB.
        assert len(json.dumps((GRAFANA / file).read_text())) < 250 * 1024
