"""Who is told of what, and what is held back: asked of Alertmanager itself."""

from __future__ import annotations

import json
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import yaml

from streams.embedded import Child, free_port, url_answers
from tests.deploy.queries import DEPLOY, RULES

CONFIG = DEPLOY / "alertmanager" / "alertmanager.yml"
Labels = dict[str, str]
DEADLINE = 30.0


@pytest.mark.parametrize(
    ("labels", "receiver"),
    [
        ("alertname=StreamsCampaignAboveThreshold severity=page campaign=metoo", "page"),
        ("alertname=StreamsCampaignAboveThreshold severity=warning campaign=metoo", "warning"),
        ("alertname=StreamsCampaignAboveThreshold severity=info campaign=metoo", "info"),
        ("alertname=StreamsCampaignAboveThreshold severity=of_my_own campaign=metoo", "info"),
        ("alertname=StreamsPartitionStuck severity=page partition=posts.keyed:0", "page"),
        ("alertname=StreamsWatchdog severity=none", "watchdog"),
    ],
)
def test_the_receiver_is_that_of_the_severity(
    tool: Callable[[str], str], labels: str, receiver: str
) -> None:
    found = subprocess.run(
        [tool("amtool"), "config", "routes", "test", f"--config.file={CONFIG}", *labels.split()],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert found.stdout.strip() == receiver


def test_every_severity_of_a_rule_has_a_receiver() -> None:
    receivers = {one["name"] for one in yaml.safe_load(CONFIG.read_text())["receivers"]}
    severities = {
        rule["labels"]["severity"]
        for path in RULES.glob("*.yml")
        for group in yaml.safe_load(path.read_text())["groups"]
        for rule in group["rules"]
        if "severity" in rule.get("labels", {})
    }
    assert severities - {"none"} <= receivers


def test_alerts_that_inhibitions_name_exist() -> None:
    """A name that was changed in the rules only would switch the inhibition off."""
    names = {
        rule["alert"]
        for path in RULES.glob("*.yml")
        for group in yaml.safe_load(path.read_text())["groups"]
        for rule in group["rules"]
        if "alert" in rule
    }
    for rule in yaml.safe_load(CONFIG.read_text())["inhibit_rules"]:
        for matcher in rule["source_matchers"] + rule["target_matchers"]:
            label, _, value = matcher.partition("=")
            if label == "alertname":
                for name in _alternatives(value.strip('~"')):
                    assert name in names, matcher


def _alternatives(pattern: str) -> list[str]:
    """Of `A|B(C|D)E`: A, BCE, BDE."""
    if "(" not in pattern:
        return pattern.split("|")
    before, _, rest = pattern.partition("(")
    inner, _, after = rest.partition(")")
    *whole, prefix = before.split("|")
    suffix, *more = after.split("|")
    return [*whole, *(prefix + one + suffix for one in inner.split("|")), *more]


@pytest.fixture(scope="module")
def alertmanager(
    tool: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Address of a running Alertmanager with the shipped inhibitions, which sends nothing."""
    folder = tmp_path_factory.mktemp("alertmanager")
    config = yaml.safe_load(CONFIG.read_text())
    config["receivers"] = [{"name": one["name"]} for one in config["receivers"]]
    config["route"]["group_wait"] = "1h"
    (folder / "alertmanager.yml").write_text(yaml.safe_dump(config))
    url = f"http://127.0.0.1:{(port := free_port())}"
    child = Child(
        "alertmanager",
        [
            tool("prometheus-alertmanager"),
            f"--config.file={folder / 'alertmanager.yml'}",
            f"--storage.path={folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--cluster.listen-address=",
        ],
        log=folder / "alertmanager.log",
    )
    child.start()
    try:
        child.wait_ready(lambda: url_answers(f"{url}/-/ready"))
        yield url
    finally:
        child.stop()


def call(url: str, body: object = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(  # noqa: S310 - http, on loopback
        f"{url}/api/v2/alerts", data, {"content-type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - as above
        return json.loads(answer.read() or b"null")


def above(severity: str, namespace: str, campaign: str = "metoo") -> Labels:
    name = "StreamsCampaignAboveThreshold"
    found = {"alertname": name, "severity": severity, "kind": "surge", "campaign": campaign}
    return {**found, "namespace": namespace}


def partition(alert: str, number: int, namespace: str) -> Labels:
    labels = {"alertname": alert, "severity": "page", "partition": f"posts.keyed:{number}"}
    return {**labels, "namespace": namespace}


CASES: dict[str, tuple[Labels, Labels, bool]] = {
    "page holds warning back": (above("page", "1"), above("warning", "1"), True),
    "page holds info back": (above("page", "2"), above("info", "2"), True),
    "warning holds info back": (above("warning", "3"), above("info", "3"), True),
    "warning does not hold page back": (above("warning", "4"), above("page", "4"), False),
    "another campaign": (above("page", "5"), above("warning", "5", "other"), False),
    "another installation": (above("page", "6"), above("warning", "6b"), False),
    "lag holds surges back": (
        {"alertname": "StreamsLagHigh", "limit": "lag", "severity": "warning", "namespace": "7"},
        above("page", "7"),
        True,
    ),
    "lag does not hold milestones back": (
        {"alertname": "StreamsLagHigh", "limit": "lag", "severity": "warning", "namespace": "8"},
        {"alertname": "StreamsCampaignMilestone", "kind": "milestone", "namespace": "8"},
        False,
    ),
    "lag elsewhere": (
        {"alertname": "StreamsLagHigh", "limit": "lag", "severity": "warning", "namespace": "9"},
        above("page", "9b"),
        False,
    ),
    "paused says why it is stuck": (
        partition("StreamsPartitionPaused", 0, "10"),
        partition("StreamsPartitionStuck", 0, "10"),
        True,
    ),
    "paused says nothing of another partition": (
        partition("StreamsPartitionPaused", 0, "11"),
        partition("StreamsPartitionStuck", 1, "11"),
        False,
    ),
}


@pytest.mark.parametrize(("source", "target", "held"), CASES.values(), ids=list(CASES))
def test_what_is_held_back(
    alertmanager: str, unique: str, source: Labels, target: Labels, held: bool
) -> None:
    send(alertmanager, source, target)
    # Alertmanager takes one after the other: what comes last is held back when all are known.
    send(alertmanager, above("page", unique), above("warning", unique))
    end = time.monotonic() + DEADLINE
    while not held_back(alertmanager, above("warning", unique)):
        assert time.monotonic() < end
        time.sleep(0.02)
    assert held_back(alertmanager, target) is held


def send(url: str, *alerts: Labels) -> None:
    now = datetime.now(UTC).isoformat()
    for labels in alerts:
        call(url, [{"labels": labels, "startsAt": now}])


def held_back(url: str, alert: Labels) -> bool:
    """False also where it has not arrived yet."""
    found = [one["status"] for one in call(url) if one["labels"] == alert]
    return any(status["inhibitedBy"] for status in found)
