"""What a user sees when something outside is wrong: one line that says what to do, and a status."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from streams.embedded import free_port
from tests.integration.pipeline import Pipeline

STREAMS = [sys.executable, "-m", "streams"]
KEY = {"STREAMS_PRIVACY__AUTHOR_KEY": "a key for tests, 16+ bytes"}


def run(
    *arguments: str, cwd: Path, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*STREAMS, *arguments],
        env={**os.environ, **(env or {})},
        cwd=cwd,
        capture_output=True,
        text=True,
        input="",
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("arguments", "env", "status", "says"),
    [
        (("worker",), {}, 2, "privacy.author_key"),
        (("worker",), {"STREAMS_KAFKA__BROKER": "x"}, 2, "STREAMS_KAFKA__BROKER: unknown setting"),
        (("worker",), {"STREAMS_KAFKA__INPUT": "both"}, 2, "STREAMS_KAFKA__INPUT"),
        (("worker",), {**KEY, "STREAMS_CAMPAIGNS": "nosuch"}, 2, "campaign nosuch"),
        (("counts", "--total"), {"STREAMS_REDIS__URL": "redis://127.0.0.1:1/0"}, 1, "Redis at"),
        (("counts", "--window", "7m"), {}, 2, "say what to count"),
        (("replay", "-"), {"STREAMS_KAFKA__BROKERS": "127.0.0.1:1"}, 1, "Kafka at 127.0.0.1:1"),
        (("inspect", "nosuch.ndjson"), {}, 2, "cannot read nosuch.ndjson"),
        (("simulate", "nosuch"), {}, 2, "no scenario nosuch"),
        (("worker", "--config", "nosuch.toml"), {}, 2, "nosuch.toml: cannot be read"),
    ],
)
def test_one_line_and_a_status(
    tmp_path: Path, arguments: tuple[str, ...], env: dict[str, str], status: int, says: str
) -> None:
    done = run(*arguments, cwd=tmp_path, env=env)
    lines = [line for line in done.stderr.splitlines() if "━" not in line and line.strip()]
    assert done.returncode == status, done.stderr
    assert says in done.stderr
    assert len(lines) == 1
    assert "Traceback" not in done.stderr


def test_a_busy_port_and_a_missing_topic(
    new_pipeline: Callable[..., Pipeline], tmp_path: Path
) -> None:
    env = new_pipeline("any").environment()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = {
            "STREAMS_WORKER__HOST": "127.0.0.1",
            "STREAMS_WORKER__PORT": str(taken.getsockname()[1]),
        }
        busy = run("worker", cwd=tmp_path, env={**env, **port})
    assert (busy.returncode, "set worker.port to another" in busy.stderr) == (1, True)
    missing = run("worker", cwd=tmp_path, env={**env, "STREAMS_WORKER__PORT": "0"})
    assert (missing.returncode, "streams check --create-topics" in missing.stderr) == (1, True)
    assert "Traceback" not in busy.stderr + missing.stderr


def test_a_worker_waits_for_kafka_and_ends_when_told(tmp_path: Path) -> None:
    env = {**os.environ, **KEY, "STREAMS_KAFKA__BROKERS": f"127.0.0.1:{free_port()}"}
    worker = subprocess.Popen(
        [*STREAMS, "worker"],
        env={**env, "STREAMS_WORKER__PORT": "0"},
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert worker.stderr is not None
        for line in worker.stderr:
            if "does not answer" in line:
                break
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(10) == 0
    finally:
        worker.kill()
        worker.communicate()
