"""What the chart renders, before others' eyes: schemas, kube-score, checkov, promtool, amtool.

A finding that stands is explained here; any other fails.
"""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from tests.deploy.chart import (
    DEPLOY,
    NEWEST,
    OLDEST,
    VALUES,
    Manifest,
    manifests,
    named,
    render,
    run,
)

Tool = Callable[[str], str]
EVERY = pytest.mark.parametrize("values", VALUES)

# Kinds that Kubernetes does not bring: those of the Prometheus operator and KEDA are held against
# their models; Strimzi's are not (no package has models of them).
OPERATORS: Final = frozenset({"PodMonitor", "ServiceMonitor", "PrometheusRule", "ScaledObject"})
STRIMZI: Final = frozenset({"KafkaTopic", "KafkaUser"})

# By kube-score's check, words of its comment, and where: a set of values, or a part of the name.
ANY: Final = "any set of values"
SCORE: Final = {
    ("container-resources", "CPU limit is not set", ANY): "throttled, a worker misses heartbeats",
    ("container-image-pull-policy", "ImagePullPolicy is not set to Always", ANY): (
        "tags are versions or digests; a node has to start pods while the registry is down"
    ),
    ("deployment-has-host-podantiaffinity", "does not have a host podAntiAffinity", ANY): (
        "topologySpreadConstraints spread over zones and hosts"
    ),
    (
        "pod-networkpolicy",
        "does not have a matching NetworkPolicy",
        "development",
    ): "left out there",
    ("deployment-replicas", "few replicas", "development"): "one each is what it is for",
    ("deployment-replicas", "few replicas", "-ingest-"): "two would read everything twice",
    ("deployment-strategy", "update strategy", "-ingest-"): "platforms count connections",
}
CHECKOV: Final = {
    "CKV_K8S_11": "CPU limits: throttled, a worker misses heartbeats",
    "CKV_K8S_15": "pull policy Always: a node has to start pods while the registry is down",
    "CKV_K8S_43": "the image by digest: a value (image.digest); here it is a tag",
    "CKV_K8S_8": "liveness: the Pod of `helm test` ends by itself",
    "CKV_K8S_9": "readiness: the same",
}


@EVERY
@pytest.mark.parametrize("kubernetes", [OLDEST, NEWEST])
def test_kubernetes_knows_every_field(
    tool: Tool, values: str, kubernetes: str, tmp_path: Path
) -> None:
    validate = tool("kubernetes-validate")
    found = manifests(render(tool("helm"), values, kubernetes))
    file = tmp_path / "rendered.yaml"
    file.write_text(yaml.safe_dump_all(m for m in found if m["kind"] not in OPERATORS | STRIMZI))
    done = run(validate, "--strict", "-k", f"{kubernetes}.0", str(file))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "WARN" not in done.stdout + done.stderr


def validated(tool: Tool, objects: list[Manifest]) -> tuple[int, str]:
    """Status and words of the operators' models about these objects."""
    python = Path(tool("kubernetes-validate")).resolve().with_name("python")
    done = subprocess.run(
        [python, DEPLOY / "helm" / "tools" / "models.py"],
        input="".join(f"{json.dumps(found)}\n" for found in objects),
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def test_operators_know_every_field(tool: Tool) -> None:
    found = [m for values in VALUES for m in manifests(render(tool("helm"), values), *OPERATORS)]
    status, words = validated(tool, found)
    assert status == 0, words
    assert {line.split()[0] for line in words.splitlines()} == OPERATORS
    found[0]["spec"]["minReplicas"] = 2
    assert validated(tool, found[:1])[0] == 1, "an unknown field passes"


@EVERY
def test_kube_score(tool: Tool, values: str, tmp_path: Path) -> None:
    score = tool("kube-score")
    file = tmp_path / "rendered.yaml"
    file.write_text(render(tool("helm"), values))
    done = run(
        score, "score", "--kubernetes-version", "v1.31", "--output-format", "json", str(file)
    )
    unexplained = [
        f"{found['object_name']}: {check['check']['id']}: {comment['summary']}"
        for found in json.loads(done.stdout)
        for check in found["checks"] or ()
        if not check["skipped"] and check["grade"] < 10
        for comment in check["comments"] or ({"summary": ""},)
        if not any(
            check["check"]["id"] == identity
            and words in comment["summary"]
            and (where in (ANY, values) or where in found["object_name"])
            for identity, words, where in SCORE
        )
    ]
    assert unexplained == []


def test_checkov(tool: Tool, tmp_path: Path) -> None:
    # Ten seconds a run, most of it to start: the sets in one file, told apart by their release.
    checkov = tool("checkov")
    for values in ("minimal", "secured", "keda", "observed", "ingest"):
        (tmp_path / f"{values}.yaml").write_text(render(tool("helm"), values))
    done = run(
        checkov, "--skip-download", "--quiet", "--framework", "kubernetes", "--output", "json",
        "--directory", str(tmp_path), "--skip-check", ",".join(CHECKOV),
    )  # fmt: skip
    found: Any = json.loads(done.stdout)
    assert found["summary"]["passed"] > 1000
    failed = found["results"]["failed_checks"]
    assert [
        f"{check['check_id']} {check['resource']}: {check['check_name']}" for check in failed
    ] == []


def test_promtool_reads_the_rules(tool: Tool, tmp_path: Path) -> None:
    spec = named(render(tool("helm"), "observed"), "PrometheusRule", "streams")["spec"]
    file = tmp_path / "rules.yml"
    file.write_text(yaml.safe_dump(spec))
    done = run(tool("promtool"), "check", "rules", str(file))
    assert done.returncode == 0, done.stdout + done.stderr


def test_amtool_reads_the_routes(tool: Tool, tmp_path: Path) -> None:
    data = named(render(tool("helm"), "observed"), "Secret", "alertmanager")["data"]
    file = tmp_path / "alertmanager.yaml"
    file.write_bytes(base64.b64decode(data["alertmanager.yaml"]))
    amtool = tool("amtool")
    done = run(amtool, "check-config", str(file))
    assert done.returncode == 0, done.stdout + done.stderr
    done = run(amtool, "config", "routes", "test", f"--config.file={file}", "severity=page")
    assert done.stdout.strip() == "page"
