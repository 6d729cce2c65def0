"""The chart, installed, upgraded, rolled back and taken away by Helm on a real API server.

`make test-k8s`: building Kubernetes takes ten minutes, so this is left out elsewhere.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.deploy.chart import CHART, VALUES
from tests.kubernetes.cluster import Cluster, cluster, until

pytestmark = pytest.mark.skipif(
    "STREAMS_TEST_CLUSTER" not in os.environ, reason="run by `make test-k8s` only"
)

KINDS = (
    "deployments,replicasets,jobs,pods,services,configmaps,secrets,serviceaccounts,"
    "poddisruptionbudgets,networkpolicies,ingresses,horizontalpodautoscalers"
)
# Objects of operators that are not there: any content is taken (tests/deploy knows the fields).
OPERATORS = (
    ("monitoring.coreos.com", "v1", "PodMonitor"),
    ("monitoring.coreos.com", "v1", "ServiceMonitor"),
    ("monitoring.coreos.com", "v1", "PrometheusRule"),
    ("keda.sh", "v1alpha1", "ScaledObject"),
    ("kafka.strimzi.io", "v1beta2", "KafkaTopic"),
    ("kafka.strimzi.io", "v1beta2", "KafkaUser"),
)


def definition(group: str, version: str, kind: str) -> dict[str, Any]:
    plural = f"{kind.lower()}s"
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    served = {"name": version, "served": True, "storage": True}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"plural": plural, "singular": kind.lower(), "kind": kind},
            "versions": [{**served, "schema": {"openAPIV3Schema": schema}}],
        },
    }


@pytest.fixture(scope="module")
def kubernetes(
    tmp_path_factory: pytest.TempPathFactory, tool: Callable[[str], str]
) -> Iterator[Cluster]:
    with cluster(tmp_path_factory.mktemp("kubernetes"), tool) as running:
        definitions = [definition(*operator) for operator in OPERATORS]
        running.apply(*definitions)
        for name in [found["metadata"]["name"] for found in definitions]:
            running.kubectl("wait", "--for=condition=Established", f"crd/{name}", "--timeout=60s")
        running.kubectl("create", "namespace", "kafka")
        yield running


@pytest.fixture
def namespace(kubernetes: Cluster, unique: str) -> str:
    """A restricted one, with room for 20 pods."""
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    metadata = {"name": unique, "labels": labels}
    quota = {"pods": "20", "requests.cpu": "40", "limits.memory": "40Gi"}
    kubernetes.apply(
        {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata},
        {
            "apiVersion": "v1",
            "kind": "ResourceQuota",
            "metadata": {"name": "room", "namespace": unique},
            "spec": {"hard": quota},
        },
    )
    until("the namespace's account", lambda: kubernetes.items("serviceaccounts", unique))
    return unique


def install(
    running: Cluster, namespace: str, values: str, *more: str, verb: str = "install"
) -> str:
    file = str(VALUES[values])
    return running.helm(verb, "it", str(CHART), "-n", namespace, "--values", file, *more)


def pods(running: Cluster, namespace: str, component: str) -> list[dict[str, Any]]:
    return running.items("pods", namespace, "-l", f"app.kubernetes.io/component={component}")


@pytest.mark.parametrize("values", VALUES)
def test_install_and_take_away(kubernetes: Cluster, namespace: str, values: str) -> None:
    before = {item["metadata"]["name"] for item in kubernetes.items(KINDS, namespace)}
    notes = install(kubernetes, namespace, values)
    assert f"kubectl -n {namespace} port-forward service/it-streams-exporter" in notes
    # Pod Security and the quota let every pod in: the controllers could make them.
    sources = ("jetstream", "mastodon", "x", "facebook") if values == "ingest" else ()
    for component in ("worker", "exporter", *(f"ingest-{source}" for source in sources)):
        until(f"{component} pods", lambda c=component: pods(kubernetes, namespace, c))
    if values != "development":
        until("the check's pod", lambda: pods(kubernetes, namespace, "check"))
    refused = [
        event["message"]
        for event in kubernetes.items("events", namespace)
        if event["reason"] == "FailedCreate"
    ]
    assert refused == []
    # And the one of `helm test`, which is made only then.
    tester = kubernetes.helm("get", "hooks", "it", "-n", namespace)
    kubernetes.kubectl("apply", "--dry-run=server", "-n", namespace, "-f", "-", stdin=tester)
    kubernetes.helm("uninstall", "it", "-n", namespace, "--wait=false")
    until(
        "nothing is left",
        lambda: (
            not {
                item["metadata"]["name"]
                for kinds in (KINDS, "podmonitors,servicemonitors,prometheusrules,scaledobjects")
                for item in kubernetes.items(kinds, namespace)
            }
            - before
            - {"kube-root-ca.crt", "default"}
        ),
    )
    assert kubernetes.items("kafkatopics,kafkausers", "kafka") == []


def test_upgrade_and_rollback(kubernetes: Cluster, namespace: str) -> None:
    def image() -> str:
        (worker,) = [
            item
            for item in kubernetes.items("deployments", namespace)
            if item["metadata"]["name"] == "it-streams-worker"
        ]
        return str(worker["spec"]["template"]["spec"]["containers"][0]["image"])

    install(kubernetes, namespace, "minimal")
    first = image()
    install(kubernetes, namespace, "minimal", "--set", "image.tag=0.2.0", verb="upgrade")
    assert image().endswith(":0.2.0")
    install(kubernetes, namespace, "cluster", verb="upgrade")
    (scaler,) = kubernetes.items("horizontalpodautoscalers", namespace)
    assert scaler["spec"]["maxReplicas"] == 16
    kubernetes.helm("rollback", "it", "1", "-n", namespace)
    assert image() == first
    assert kubernetes.items("horizontalpodautoscalers", namespace) == []


def test_the_second_eviction_is_refused(kubernetes: Cluster, namespace: str) -> None:
    install(kubernetes, namespace, "minimal")
    names = until(
        "two workers",
        lambda: (
            len(found := pods(kubernetes, namespace, "worker")) == 2
            and [pod["metadata"]["name"] for pod in found]
        ),
    )
    running = '{"status":{"phase":"Running","conditions":[{"type":"Ready","status":"True"}]}}'
    for name in names:
        kubernetes.kubectl(
            "patch", "pod", name, "-n", namespace, "--subresource=status", "-p", running
        )
    until(
        "the budget has counted them",
        lambda: any(
            budget["metadata"]["name"] == "it-streams-worker"
            and budget.get("status", {}).get("currentHealthy") == 2
            for budget in kubernetes.items("poddisruptionbudgets", namespace)
        ),
    )

    def evict(name: str) -> str:
        eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name}}
        done = kubernetes.raw(f"/api/v1/namespaces/{namespace}/pods/{name}/eviction", eviction)
        return done.stderr

    assert evict(names[0]) == ""
    assert "disruption budget" in evict(names[1])
