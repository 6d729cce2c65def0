"""The health check of containers."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from streams.embedded import free_port
from streams.probe import main


class Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/healthz" else 503)
        self.end_headers()
        self.wfile.write(b"no assignment received yet\n")

    def log_message(self, format: str, *args: object) -> None: ...


@pytest.fixture
def server() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{running.server_address[1]}"
        running.shutdown()
        thread.join()


def test_one_that_answers_200_is_enough(server: str) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}/"
    assert main([nowhere, f"{server}/healthz"]) == 0


def test_otherwise_it_says_why(server: str, capsys: pytest.CaptureFixture[str]) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}/"
    assert main([nowhere, f"{server}/readyz"]) == 1
    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith(f"{nowhere}: ")
    assert second == f"{server}/readyz: 503 no assignment received yet"


def test_without_a_url_it_is_bad_usage() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "streams.probe"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr == "usage: python -m streams.probe URL…\n"
