"""The chart: renders for every example, refuses what cannot be, says what the program can read."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.helm import schema
from streams.campaigns import load
from streams.config import Settings, load_settings
from tests.deploy.chart import (
    CHART,
    DEPLOY,
    NEWEST,
    OLDEST,
    VALUES,
    environment,
    manifests,
    named,
    pods,
    refusal,
    release,
    render,
    run,
)

Tool = Callable[[str], str]
EVERY = pytest.mark.parametrize("values", VALUES)


def test_the_schema_is_current() -> None:
    assert schema.FILE.read_text(encoding="utf-8") == schema.rendered(), "make chart"


@EVERY
def test_lint(tool: Tool, values: str) -> None:
    _, *arguments = release(values)
    done = run(tool("helm"), "lint", "--strict", *arguments, "--kube-version", f"{NEWEST}.0")
    assert done.returncode == 0, done.stdout + done.stderr


def settings_of(text: str, component: str, folder: Path) -> Settings:
    """As the program in the pod would read them; `folder` stands for what is mounted."""
    return load_settings(environ=environment(text, component, folder))


@EVERY
def test_the_program_reads_what_is_rendered(tool: Tool, values: str, tmp_path: Path) -> None:
    given = yaml.safe_load(VALUES[values].read_text(encoding="utf-8"))
    text = render(tool("helm"), values)
    worker = settings_of(text, "worker", tmp_path)
    assert list(worker.kafka.brokers) == given["kafka"]["brokers"]
    assert worker.kafka.instance_id is None, "pods have other names after each roll"
    assert worker.privacy.author_key is not None
    assert (worker.kafka.ca_file is None) is not given["kafka"].get("tls", {}).get("enabled", False)
    for name in worker.campaigns:
        load(name)
    exporter = settings_of(text, "exporter", tmp_path)
    assert exporter.redis.address == worker.redis.address
    assert exporter.privacy.author_key is None, "the exporter reads no authors"
    assert exporter.kafka.password is None, "the exporter talks to Redis only"


def test_a_change_of_a_campaign_rolls_the_pods(tool: Tool) -> None:
    def hashes(*more: str) -> set[str]:
        done = run(
            tool("helm"), "template", *release("sentinel"), "--kube-version", "1.31.0", *more
        )
        return {
            manifest["spec"]["template"]["metadata"]["annotations"]["checksum/config"]
            for manifest in manifests(done.stdout, "Deployment")
        }

    before, after = hashes(), hashes("--set", "campaigns.files.other=name = 'other'")
    assert len(before) == len(after) == 1
    assert before != after


@EVERY
def test_pods_are_restricted(tool: Tool, values: str) -> None:
    found = dict(pods(render(tool("helm"), values)))
    assert len(found) >= 2
    for name, spec in found.items():
        assert spec["automountServiceAccountToken"] is False, name
        assert spec["securityContext"]["runAsNonRoot"] is True, name
        (container,) = spec["containers"]
        security = container["securityContext"]
        assert security["readOnlyRootFilesystem"] is True, name
        assert security["capabilities"] == {"drop": ["ALL"]}, name
        assert security["seccompProfile"] == {"type": "RuntimeDefault"}, name
        assert container["resources"]["limits"]["memory"], name


def test_probes_and_grace_of_a_worker(tool: Tool) -> None:
    spec = named(render(tool("helm"), "minimal"), "Deployment", "worker")["spec"]["template"][
        "spec"
    ]
    (container,) = spec["containers"]
    paths = {
        kind: container[f"{kind}Probe"]["httpGet"]["path"]
        for kind in ("startup", "readiness", "liveness")
    }
    assert paths == {"startup": "/startupz", "readiness": "/readyz", "liveness": "/healthz"}
    assert spec["terminationGracePeriodSeconds"] == 20


@pytest.mark.parametrize(
    ("kinds", "count", "values"),
    [
        (("NetworkPolicy",), 5, "minimal"),
        (("PodDisruptionBudget",), 2, "minimal"),
        (("NetworkPolicy", "PodDisruptionBudget", "Job"), 0, "development"),
        (("HorizontalPodAutoscaler",), 1, "cluster"),
        (("ScaledObject",), 1, "keda"),
        (("KafkaTopic", "KafkaUser"), 6, "keda"),
        (("PodMonitor", "ServiceMonitor", "PrometheusRule"), 3, "observed"),
        (("Deployment",), 6, "ingest"),
        (("Ingress", "PodMonitor"), 3, "ingest"),
    ],
)
def test_what_is_there(tool: Tool, kinds: tuple[str, ...], count: int, values: str) -> None:
    assert len(manifests(render(tool("helm"), values), *kinds)) == count


@pytest.mark.parametrize("values", ["cluster", "keda"])
def test_who_scales_sets_the_replicas(tool: Tool, values: str) -> None:
    assert "replicas" not in named(render(tool("helm"), values), "Deployment", "worker")["spec"]


def test_keda_scales_slowly_down_and_not_above_the_partitions(tool: Tool) -> None:
    spec = named(render(tool("helm"), "keda"), "ScaledObject", "worker")["spec"]
    assert [t["metadata"]["topic"] for t in spec["triggers"]] == ["posts.raw", "posts.keyed"]
    assert {t["metadata"]["limitToPartitionsWithLag"] for t in spec["triggers"]} == {"true"}
    assert spec["maxReplicaCount"] == 24
    down = spec["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]["scaleDown"]
    assert down["stabilizationWindowSeconds"] == 600


def test_egress_is_what_the_settings_name(tool: Tool) -> None:
    def ports(values: str, component: str) -> set[int]:
        egress = named(render(tool("helm"), values), "NetworkPolicy", component)["spec"]["egress"]
        return {port["port"] for rule in egress for port in rule["ports"]} - {53}

    assert ports("minimal", "worker") == {9092, 6379}
    assert ports("secured", "worker") == {9093, 6380}
    assert ports("secured", "exporter") == {6380}
    assert ports("sentinel", "exporter") == {26379, 6379}
    assert ports("ingest", "ingest-x") == {9092, 443}
    assert ports("ingest", "ingest-facebook") == {9092}
    deny = named(render(tool("helm"), "minimal"), "NetworkPolicy", "deny")["spec"]
    assert deny["policyTypes"] == ["Ingress", "Egress"]
    assert "ingress" not in deny
    assert "egress" not in deny


def test_sources_are_read_as_given(tool: Tool, tmp_path: Path) -> None:
    text = render(tool("helm"), "ingest")
    for source in ("jetstream", "mastodon", "x", "facebook"):
        spec = named(text, "Deployment", f"ingest-{source}")["spec"]
        assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})
        (container,) = spec["template"]["spec"]["containers"]
        assert container["args"] == ["ingest", source]
        found = settings_of(text, f"ingest-{source}", tmp_path)
        assert found.ingest.mastodon.hashtag == "metoo"
        assert found.ingest.facebook.max_body == 2 * 2**20
        assert found.privacy.author_key is None, "sources hash no authors"
        tokens = {
            "mastodon": found.ingest.mastodon.token,
            "x": found.ingest.x.token,
            "facebook": found.ingest.facebook.app_secret,
        }
        assert {name for name, token in tokens.items() if token} == {source} - {"jetstream"}


def test_a_change_of_a_source_rolls_no_other_pod(tool: Tool) -> None:
    def hashes(*more: str) -> dict[str, str]:
        done = run(tool("helm"), "template", *release("ingest"), "--kube-version", "1.31.0", *more)
        return {
            found["metadata"]["name"]: found["spec"]["template"]["metadata"]["annotations"][
                "checksum/config"
            ]
            for found in manifests(done.stdout, "Deployment")
        }

    before, after = hashes(), hashes("--set", "ingest.sources.x.settings.phrases=false")
    assert {name for name in before if before[name] != after[name]} == {"try-streams-ingest-x"}


def test_rules_and_dashboards_are_those_of_deploy(tool: Tool) -> None:
    text = render(tool("helm"), "observed")
    rules = named(text, "PrometheusRule", "streams")["spec"]["groups"]
    files = sorted((DEPLOY / "prometheus" / "rules").glob("*.yml"))
    shipped = [g for file in files for g in yaml.safe_load(file.read_text())["groups"]]
    link = json.dumps(shipped).replace(
        "{{ $externalLabels.runbook_base }}", "https://docs.example.org/streams/"
    )
    assert rules == json.loads(link)
    for file in (DEPLOY / "grafana" / "dashboards").glob("*.json"):
        found = named(text, "ConfigMap", f"dashboard-{file.stem}")["data"][file.name]
        assert json.loads(found) == json.loads(file.read_text())


def test_routes_are_those_of_deploy(tool: Tool) -> None:
    data = named(render(tool("helm"), "observed"), "Secret", "alertmanager")["data"]
    found: dict[str, Any] = yaml.safe_load(base64.b64decode(data["alertmanager.yaml"]))
    shipped = yaml.safe_load((DEPLOY / "alertmanager" / "alertmanager.yml").read_text())
    assert {**found, "receivers": None} == {**shipped, "receivers": None}
    assert found["receivers"][0]["webhook_configs"][0]["url"] == "http://pager.example.org/page"


def test_no_secret_is_rendered(tool: Tool) -> None:
    for values in VALUES:
        secrets = manifests(render(tool("helm"), values), "Secret")
        assert [s["metadata"]["name"] for s in secrets] in ([], ["try-streams-alertmanager"])


def test_links_go_where_the_one_source_is() -> None:
    assert (CHART / "rules").resolve() == DEPLOY / "prometheus" / "rules"
    assert (CHART / "dashboards").resolve() == DEPLOY / "grafana" / "dashboards"


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (("wroker={}",), "wroker"),
        (("worker.replica=3",), "replica"),
        (("config.kafka={\"brokers\":[]}",), "brokers"),
        (("config.kafka={\"instance_id\":\"a\"}",), "instance_id"),
        (("config.dedupe={\"horizon\":\"a day\"}",), "horizon"),
        (("config.dedupe={\"buckets\":0}",), "buckets"),
        (("config.exporter={\"clock\":\"wall\"}",), "clock"),
        (("kafka.brokers=[]",), "brokers"),
        (("kafka.brokers=[\"kafka\"]",), "brokers"),
        (("kafka.input=\"some\"",), "input"),
        (("kafka.partitions=0",), "partitions"),
        (("kafka.sasl.username=\"streams\"",), "existingSecret"),
        (("kafka.tls.caSecret=\"ca\"",), "caSecret"),
        (("kafka.strimzi.enabled=true",), "cluster"),
        (("redis.url=\"redis://:secret@redis:6379\"",), "url"),
        (("redis.url=\"\"",), "url"),
        (("redis.mode=\"sentinel\"",), "sentinels"),
        (("redis.sentinels=[\"a:26379\"]",), "sentinels"),
        (("redis.worker.username=\"w\"",), "existingSecret"),
        (("redis.tls.caSecret=\"ca\"",), "write redis.url as rediss://"),
        (("authorKey.existingSecret=\"\"",), "existingSecret"),
        (("image.repository=\"\"",), "repository"),
        (("image.digest=\"sha256:12\"",), "digest"),
        (("exporter.replicas=0",), "replicas"),
        (("worker.drainSeconds=1",), "drainSeconds"),
        (("worker.pdb.maxUnavailable=0",), "maxUnavailable"),
        (("worker.replicas=9",), "more than kafka.partitions (8)"),
        (("worker.hpa.enabled=true", "worker.hpa.max=9"), "(9) is more than kafka.partitions (8)"),
        (("worker.hpa={\"enabled\":true,\"min\":5,\"max\":4}",), "min (5) is more than max (4)"),
        (("worker.hpa.enabled=true", "worker.keda.enabled=true"), "enable one of them"),
        (("worker.keda.enabled=true", "kafka.tls.enabled=true"), "worker.keda.authentication"),
        (("campaigns.shipped=[]",), "no campaign"),
        (("ingest.sources.tiktok={}",), "tiktok"),
        (("ingest.sources.x.enabled=true",), "existingSecret"),
        (("ingest.sources.x.settings={\"token\":\"secret\"}",), "token"),
        (("ingest.sources.jetstream.settings={\"urls\":[]}",), "urls"),
        (("ingest.sources.mastodon.settings={\"stream\":\"all\"}",), "stream"),
        (("ingest.sources.mastodon.settings={\"stream\":\"hashtag\"}",), "set both or none"),
        (("ingest.sources.facebook.ingress.enabled=true",), "host"),
        (("networkPolicy.from=[{}]",), "from"),
        (("monitoring.rules.runbookBase=\"docs\"",), "runbookBase"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_by_name(
    tool: Tool, settings: tuple[str, ...], words: str
) -> None:
    assert words in refusal(tool("helm"), *settings)


def test_an_older_kubernetes_is_refused(tool: Tool) -> None:
    render(tool("helm"), "minimal", OLDEST)
    done = run(tool("helm"), "template", *release("minimal"), "--kube-version", "1.26.0")
    assert "requires kubeVersion" in done.stderr
