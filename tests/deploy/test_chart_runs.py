"""The chart's commands, environment and configuration, run as ordinary processes."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from streams.embedded import Child, EmbeddedKafka, EmbeddedRedis, free_port, url_answers
from tests.deploy.chart import NEWEST, environment, named, release, run


def test_worker_and_exporter_get_ready(
    tool: Callable[[str], str],
    kafka: EmbeddedKafka,
    redis_server: EmbeddedRedis,
    unique: str,
    tmp_path: Path,
) -> None:
    names = ("raw", "keyed", "classified", "dead", "campaigns")
    given = {
        "kafka.brokers": [kafka.bootstrap],
        "kafka.group": unique,
        "kafka.topics": {name: f"{unique}.{name}" for name in names},
        "kafka.replication": 1,
        "redis.url": redis_server.url,
        "redis.prefix": f"{unique}:",
    }
    changes = [part for key in given for part in ("--set-json", f"{key}={json.dumps(given[key])}")]
    text = run(
        tool("helm"), "template", *release("minimal"), "--kube-version", f"{NEWEST}.0", *changes
    ).stdout
    own = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": str(Path.cwd())}

    def child(component: str, args: list[str], **more: str) -> Child:
        env = own | environment(text, component, tmp_path) | more
        command = [sys.executable, "-m", "streams", *args]
        return Child(component, command, log=tmp_path / f"{component}.log", env=env)

    def container(component: str) -> dict[str, Any]:
        (found,) = named(text, "Deployment", component)["spec"]["template"]["spec"]["containers"]
        return dict(found)

    with child("worker", ["check", "--create-topics"]) as check:
        assert check.wait(60) in (0, 1), check.log_tail()
    port, exporter_port = free_port(), free_port()
    worker = child("worker", container("worker")["args"], STREAMS_WORKER__PORT=str(port))
    exporter = child(
        "exporter", container("exporter")["args"], STREAMS_EXPORTER__PORT=str(exporter_port)
    )
    with worker, exporter:
        for kind in ("startup", "readiness", "liveness"):
            path = container("worker")[f"{kind}Probe"]["httpGet"]["path"]
            worker.wait_ready(lambda p=path: url_answers(f"http://127.0.0.1:{port}{p}"))
            path = container("exporter")[f"{kind}Probe"]["httpGet"]["path"]
            exporter.wait_ready(lambda p=path: url_answers(f"http://127.0.0.1:{exporter_port}{p}"))
