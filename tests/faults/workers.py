"""Worker processes of a fault run, as an operator would start them."""

from __future__ import annotations

import http.client
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from streams.embedded import Child, free_port, url_answers
from streams.errors import UserError

_READY_SECONDS: Final = 90.0
_SAMPLE: Final = re.compile(r"^(\w+)(?:\{([^}]*)\})? (\S+)$", re.MULTILINE)


class WorkerProcess:
    """One worker; `stop`, `kill` and `start` again as often as a fault wants."""

    def __init__(self, number: int, folder: Path, env: Mapping[str, str]) -> None:
        self.number = number
        self.port = free_port()
        self.child = Child(
            f"worker {number}",
            [sys.executable, "-m", "streams", "worker"],
            log=folder / f"worker-{number}.log",
            env={
                **env,
                "STREAMS_WORKER__HOST": "127.0.0.1",
                "STREAMS_WORKER__PORT": str(self.port),
            },
            cwd=folder,  # a streams.toml beside the repository is not read
            grace=15,
        )

    @property
    def running(self) -> bool:
        return self.child.running

    def start(self, *, ready: bool = True) -> None:
        self.child.start()
        if ready:
            self.wait_ready()

    def wait_ready(self, seconds: float = _READY_SECONDS) -> None:
        self.child.wait_ready(lambda: url_answers(f"{self._url}/readyz"), timeout=seconds)

    @property
    def _url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def unready(self) -> str:
        """What /readyz complains of; empty when ready."""
        try:
            status, text = self._get("/readyz")
        except (OSError, http.client.HTTPException) as error:
            return f"/readyz does not answer: {error}"
        return "" if status == 200 else text

    def _get(self, path: str) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def metric(self, name: str, labels: str = "") -> float:
        """Sum of a metric's samples whose labels hold `labels`; 0 where it cannot be read."""
        return sum(value for has, value in self._samples(name) if labels in has)

    def lags(self) -> dict[int, int]:
        """What it says of the partitions that it has and has a position in."""
        return {
            int(labels.split('"')[1]): int(value)
            for labels, value in self._samples("streams_lag_posts")
        }

    def partitions(self) -> set[int]:
        """Which partitions it has been assigned."""
        assigned = self._samples("streams_partition_paused")
        return {int(labels.split('"')[1].rpartition(":")[2]) for labels, _ in assigned}

    def _samples(self, name: str) -> list[tuple[str, float]]:
        """Labels and values; none where it cannot be read."""
        try:
            _, text = self._get("/metrics")
        except (OSError, http.client.HTTPException):
            return []
        return [(has, float(value)) for found, has, value in _SAMPLE.findall(text) if found == name]

    def assignments(self) -> int:
        """How many assignments the log tells of: a rebalance gives each member one."""
        return self.child.log.read_text(errors="replace").count("assigned partitions:")


def all_running(workers: list[WorkerProcess]) -> None:
    """Raises `UserError` where a worker ended that nobody ended."""
    for worker in workers:
        if not worker.running:
            raise UserError(
                f"{worker.child.name} ended by itself ({worker.child.returncode}): "
                f"{worker.child.log_tail(5)}"
            )
