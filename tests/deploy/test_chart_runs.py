"""The chart's commands, environment and configuration, run as ordinary processes."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from streams.embedded import EmbeddedKafka, EmbeddedRedis, free_port
from tests.deploy.chart import SECRET
from tests.deploy.processes import Pods, rendered
from tests.posts.samples_facebook import feed_line


@pytest.fixture
def given(kafka: EmbeddedKafka, redis_server: EmbeddedRedis, unique: str) -> dict[str, Any]:
    """Values of a release of the test's own on the running Kafka and Redis."""
    names = ("raw", "keyed", "classified", "dead", "campaigns")
    return {
        "kafka.brokers": [kafka.bootstrap],
        "kafka.group": unique,
        "kafka.topics": {name: f"{unique}.{name}" for name in names},
        "kafka.replication": 1,
        "redis.url": redis_server.url,
        "redis.prefix": f"{unique}:",
    }


def test_worker_and_exporter_get_ready(
    tool: Callable[[str], str], given: dict[str, Any], tmp_path: Path
) -> None:
    with Pods(tmp_path) as pods:
        pods.apply(rendered(tool("helm"), "minimal", given))
        with pods.child("worker", "check", "--create-topics") as check:
            assert check.wait(60) in (0, 1), check.log_tail()
        for component in ("worker", "exporter"):
            pods.start(component)


async def test_a_webhook_gets_into_kafka(
    tool: Callable[[str], str], given: dict[str, Any], unique: str, tmp_path: Path
) -> None:
    """The source that needs nobody outside: its answer 200 says that Kafka has the post."""
    with Pods(tmp_path) as pods:
        pods.apply(rendered(tool("helm"), "ingest", {**given, "ingest.cursors": f"{unique}.c"}))
        with pods.child("worker", "check", "--create-topics") as check:
            assert check.wait(60) in (0, 1), check.log_tail()
        port = free_port()
        source = pods.start("ingest-facebook", STREAMS_INGEST__FACEBOOK__PORT=str(port))
        (rule,) = pods.object("Ingress", "facebook")["spec"]["rules"]
        url = f"http://127.0.0.1:{port}{rule['http']['paths'][0]['path']}"
        word = {"hub.mode": "subscribe", "hub.challenge": "1158", "hub.verify_token": SECRET}
        body = feed_line(post_id="5550001_1", message="an invented post")
        digest = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        signed = {"X-Hub-Signature-256": f"sha256={digest}"}
        async with aiohttp.ClientSession() as http:
            async with http.get(url, params=word) as answer:
                assert await answer.text() == "1158"
            async with http.post(url, data=body, headers=signed) as answer:
                assert answer.status == 200
        grace = pods.deployment("ingest-facebook")["template"]["spec"]
        assert source.stop(grace["terminationGracePeriodSeconds"]) == 0
