"""The exporter as a process."""

from __future__ import annotations

import http.client
import json
import signal
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from streams.embedded import free_port
from tests.exporter.conftest import Start
from tests.filled import Filled


def status(url: str) -> int | None:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - http, above
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return int(error.code)
    except OSError:
        return None


def wait_for(url: str, wanted: int) -> None:
    end = time.monotonic() + 30
    while (found := status(url)) != wanted:
        assert time.monotonic() < end, f"{url}: {found}"
        time.sleep(0.05)


def test_serves_and_ends_at_sigterm(start: Start, filled: Filled) -> None:
    filled.partition(0, watermark=1_508_158_800)
    filled.campaign(0, 1_508_158_790, 3)
    port = free_port()
    process = start(port)
    wait_for(f"http://127.0.0.1:{port}/readyz", 200)
    wait_for(f"http://127.0.0.1:{port}/api/v1/campaigns/metoo", 200)
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        text = answer.read().decode()
    assert 'streams_campaign_posts_total{campaign="metoo",kind="original"' in text
    assert "_created" not in text
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0


@contextmanager
def listen(
    port: int, query: str = "", after: str | None = None
) -> Iterator[http.client.HTTPResponse]:
    headers = {"Accept": "text/event-stream", **({"Last-Event-ID": after} if after else {})}
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=20)) as connection:
        connection.request("GET", f"/api/v1/events{query}", headers=headers)
        with connection.getresponse() as answer:
            yield answer


def next_event(answer: http.client.HTTPResponse) -> dict[str, str]:
    """The fields of the next event; comments (pings) are passed over."""
    fields: dict[str, str] = {}
    while True:
        line = answer.readline().decode().rstrip("\r\n")
        if not line and fields:
            return fields
        name, _, text = line.partition(": ")
        if name:
            fields[name] = text


def test_events_are_sent_as_they_happen(start: Start, filled: Filled) -> None:
    t = 1_508_158_800
    filled.partition(0, watermark=t)
    filled.redis.hset(filled.layout.campaigns, "metoo", '{"version":"1","thresholds":{"page":2}}')
    filled.campaign(0, t - 90, 3)
    port = free_port()
    process = start(port, STREAMS_EXPORTER__CLOCK="replay")
    wait_for(f"http://127.0.0.1:{port}/api/v1/campaigns/metoo", 200)
    with listen(port, after="0-0") as answer:
        assert answer.getheader("content-type", "").startswith("text/event-stream")
        first = next_event(answer)
        assert (first["event"], json.loads(first["data"])["name"]) == ("platform", "x")
        assert json.loads(next_event(answer)["data"])["id"] == f"metoo:language:en:{t - 120}"
    with listen(port, "?kind=threshold&campaign=metoo") as only_thresholds:
        filled.campaign(0, t + 30, 700)
        filled.partition(0, watermark=t + 70)
        crossed = json.loads(next_event(only_thresholds)["data"])
    assert crossed["id"] == f"metoo:threshold:page:{t + 60}"
    assert crossed["detail"]["velocity"] == pytest.approx(703 / 300)
    # Who comes back says what it has, and gets the rest.
    with listen(port, after=first["id"]) as again:
        assert [next_event(again)["event"] for _ in range(2)] == ["language", "threshold"]
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/api/v1/events?limit=2", headers={"Accept": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=5) as listed:  # noqa: S310 - http
        found = json.load(listed)["events"]
    assert [event["kind"] for event in found] == ["threshold", "language"]
    request.full_url += f"&after={first['id']}"
    with urllib.request.urlopen(request, timeout=5) as listed:  # noqa: S310 - http
        found = json.load(listed)["events"]
    assert [event["kind"] for event in found] == ["language", "threshold"]
    with listen(port):  # a listener does not hold up the end
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0


def test_without_redis_it_is_alive_and_not_ready(start: Start) -> None:
    port = free_port()
    process = start(port, STREAMS_REDIS__URL="redis://127.0.0.1:1")
    wait_for(f"http://127.0.0.1:{port}/healthz", 200)
    assert status(f"http://127.0.0.1:{port}/readyz") == 503
    assert status(f"http://127.0.0.1:{port}/api/v1/campaigns") == 503
    assert status(f"http://127.0.0.1:{port}/metrics") == 200
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0


def test_a_busy_port_is_one_line(start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        process = start(taken.getsockname()[1])
        _, said = process.communicate(timeout=30)
    assert process.returncode == 1
    [line] = said.splitlines()
    assert "exporter.port" in line
