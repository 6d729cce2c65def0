"""The exporter as a process."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator

import pytest

from streams.embedded import free_port
from tests.filled import Filled

Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start(redis_url: str, unique: str) -> Iterator[Start]:
    running: list[subprocess.Popen[str]] = []

    def start(port: int, **environ: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-m", "streams", "exporter"],
            env={
                **os.environ,
                "STREAMS_REDIS__URL": redis_url,
                "STREAMS_REDIS__PREFIX": f"{unique}:",
                "STREAMS_EXPORTER__HOST": "127.0.0.1",
                "STREAMS_EXPORTER__PORT": str(port),
                "STREAMS_EXPORTER__INTERVAL": "0.1",
                **environ,
            },
            stderr=subprocess.PIPE,
            text=True,
        )
        running.append(process)
        return process

    yield start
    for process in running:
        process.kill()
        process.communicate()


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
