"""From a post to a page: Kafka, Redis, worker, two exporters, Prometheus, Alertmanager, a webhook.

Slow (two to three minutes): an hour of event time is replayed at 30 times its speed, because alerts
have to fire and to be resolved, and durations of rules cannot be shorter than evaluations.
"""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

import pytest
from aiohttp import ClientSession
from redis import Redis

from streams.embedded import Child, free_port, url_answers
from streams.ingest.replay import replay, replay_producer
from streams.ingest.sending import ReplayStats
from streams.kafka import ensure_topics
from tests.deploy import burst
from tests.deploy.monitoring import Monitoring, Notification
from tests.deploy.queries import panel_queries, rule_queries
from tests.integration.pipeline import Pipeline

SPEED = 30.0
WORD = "an invented word"
METRIC = re.compile(r"\bstreams[_:][a-z_:0-9]+")

Sources = Callable[[Pipeline], Awaitable[list[str]]]


@pytest.fixture
def exporters(settings: object, tmp_path: Path) -> Iterator[Callable[[Pipeline, int], list[str]]]:
    running: list[Child] = []

    def start(pipeline: Pipeline, count: int) -> list[str]:
        addresses = []
        for number in range(count):
            port = free_port()
            child = Child(
                f"exporter {number}",
                [sys.executable, "-m", "streams", "exporter"],
                log=tmp_path / f"exporter-{number}.log",
                env={
                    **pipeline.environment(),
                    "STREAMS_EXPORTER__PORT": str(port),
                    "STREAMS_EXPORTER__HOST": "127.0.0.1",
                    "STREAMS_EXPORTER__CLOCK": "replay",
                    "STREAMS_EXPORTER__INTERVAL": "0.2",
                },
            )
            running.append(child.start())
            child.wait_ready(lambda port=port: url_answers(f"http://127.0.0.1:{port}/readyz"))
            addresses.append(f"127.0.0.1:{port}")
        return addresses

    yield start
    for child in running:
        child.stop()


@pytest.fixture
def sources(tmp_path: Path) -> Iterator[Sources]:
    """Posts of a file and of a webhook: every metric that a rule asks for."""
    running: list[Child] = []

    async def start(pipeline: Pipeline) -> list[str]:
        webhook, addresses = free_port(), []
        posts = tmp_path / "posts.ndjson"
        posts.write_bytes(b"".join(line + b"\n" for line in islice(burst.lines(), 3)))
        for number, source in enumerate((("file", str(posts)), ("facebook",))):
            port = free_port()
            child = Child(
                source[0],
                [sys.executable, "-m", "streams", "ingest", *source],
                log=tmp_path / f"ingest-{number}.log",
                env={
                    **pipeline.environment(),
                    "STREAMS_INGEST__HOST": "127.0.0.1",
                    "STREAMS_INGEST__PORT": str(port),
                    "STREAMS_INGEST__CURSORS": f"{pipeline.settings.kafka.group}.cursors",
                    "STREAMS_INGEST__FACEBOOK__PORT": str(webhook),
                    "STREAMS_INGEST__FACEBOOK__VERIFY_TOKEN": WORD,
                    "STREAMS_INGEST__FACEBOOK__APP_SECRET": "an invented secret",
                },
            )
            running.append(child.start())
            child.wait_ready(lambda port=port: url_answers(f"http://127.0.0.1:{port}/readyz"))
            addresses.append(f"127.0.0.1:{port}")
        url = f"http://127.0.0.1:{webhook}/webhooks/facebook"
        asked = {"hub.mode": "subscribe", "hub.verify_token": WORD, "hub.challenge": "1"}
        async with ClientSession() as http, http.get(url, params=asked) as answer:
            assert answer.status == 200
        return addresses

    yield start
    for child in running:
        child.stop()


@pytest.fixture
def monitoring(
    tool: Callable[[str], str], tmp_path: Path
) -> Iterator[Callable[[dict[str, list[str]]], Monitoring]]:
    prometheus, alertmanager = tool("prometheus"), tool("prometheus-alertmanager")
    running: list[Monitoring] = []

    def start(targets: dict[str, list[str]]) -> Monitoring:
        made = Monitoring(tmp_path / "monitoring", prometheus, alertmanager, targets, SPEED)
        running.append(made)
        made.start()
        return made

    yield start
    for made in running:
        made.stop()


@contextmanager
def limited_memory(url: str) -> Iterator[None]:
    """A Redis with a limit, as in production: panels and alerts compare with it."""
    with Redis.from_url(url) as redis:
        redis.config_set("maxmemory", 2**32)
        try:
            yield
        finally:
            redis.config_set("maxmemory", 0)


def is_threshold(found: Notification, severity: str, status: str) -> bool:
    return any(
        alert["labels"]["alertname"] == "StreamsCampaignAboveThreshold"
        and alert["labels"]["severity"] == severity
        and alert["status"] == status
        for alert in found.body["alerts"]
    )


async def test_one_page_for_a_crossing_and_data_for_every_query(
    new_pipeline: Callable[..., Pipeline],
    exporters: Callable[[Pipeline, int], list[str]],
    sources: Sources,
    monitoring: Callable[[dict[str, list[str]]], Monitoring],
    capsys: pytest.CaptureFixture[str],
) -> None:
    pipeline = new_pipeline("any")
    await ensure_topics(pipeline.settings.kafka)
    with limited_memory(pipeline.settings.redis.url):
        await _page(pipeline, exporters, sources, monitoring, capsys)


async def _page(
    pipeline: Pipeline,
    exporters: Callable[[Pipeline, int], list[str]],
    sources: Sources,
    monitoring: Callable[[dict[str, list[str]]], Monitoring],
    capsys: pytest.CaptureFixture[str],
) -> None:
    pipeline.start_worker()
    addresses = exporters(pipeline, 2)
    jobs = {"streams-worker": [f"127.0.0.1:{pipeline.ports[0]}"], "streams-exporter": addresses}
    prometheus = monitoring({**jobs, "streams-ingest": await sources(pipeline)})
    crossing = burst.crossing_line(10)
    crossed: list[float] = []

    def watch(stats: ReplayStats) -> None:
        if stats.sent > crossing and not crossed:
            crossed.append(time.monotonic())

    topic = pipeline.settings.kafka.topics.raw
    async with replay_producer(pipeline.settings, topic) as producer:
        await replay(burst.lines(), producer, topic, speed=SPEED, on_progress=watch)
    hook = prometheus.webhook
    page = hook.wait_for(lambda n: is_threshold(n, "page", "firing"), 30, "the page")
    resolved = hook.wait_for(lambda n: is_threshold(n, "page", "resolved"), 60, "its end")
    fired = [n for n in hook.received if is_threshold(n, "page", "firing")]
    assert fired == [page]
    assert len({alert["fingerprint"] for alert in page.body["alerts"]}) == len(page.body["alerts"])
    assert not [
        n
        for n in hook.received
        if page.at < n.at < resolved.at and is_threshold(n, "warning", "firing")
    ]
    with capsys.disabled():
        sys.stdout.write(
            f"\n  from the crossing post to the webhook: {page.at - crossed[0]:.1f} s\n"
        )
    assert not [n for n in hook.received if "error expanding" in str(n.body)]
    queries = [*panel_queries(), *rule_queries()]
    empty = [where for where, expression in queries if not prometheus.has_data(expression)]
    # Alerts of what did not happen have nothing to show; their parts have.
    quiet = {where for where, _ in rule_queries() if where.title.startswith("Streams")}
    assert {where for where in empty if where not in quiet} == set()
    parts = {name for _, expression in queries for name in METRIC.findall(expression)}
    assert [name for name in sorted(parts) if not prometheus.has_data(name)] == []
