"""What a run has cost: CPU and memory of processes from outside, and Redis' own CPU time."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NamedTuple

import psutil
from redis import Redis

from streams.embedded import Child
from streams.errors import UserError

_POLL_SECONDS: Final = 0.1


class Run(NamedTuple):
    """One system's run over one topic."""

    posts: int  # records read
    seconds: float
    cpu_seconds: float  # user and system, of the worker processes
    redis_cpu_seconds: float | None  # None where Redis takes no part
    rss_mb: float  # MiB, the highest seen of all worker processes together
    exact: bool | None  # None where not everything was read

    @property
    def per_second(self) -> float:
        return self.posts / self.seconds

    @property
    def per_cpu_second(self) -> float:
        return self.posts / self.cpu_seconds


class Missing(Exception):
    """A system cannot be measured on this machine; the message says what it needs."""


def tree_cpu(pids: Iterable[int]) -> float:
    """CPU-seconds (user and system) that these processes and their children have used."""
    seconds = 0.0
    for process in _tree(pids):
        with suppress(psutil.Error):  # it has just ended
            times = process.cpu_times()
            seconds += times.user + times.system
    return seconds


def tree_rss(pids: Iterable[int]) -> float:
    """Resident MiB of these processes and their children."""
    size = 0
    for process in _tree(pids):
        with suppress(psutil.Error):
            size += process.memory_info().rss
    return size / 2**20


def _tree(pids: Iterable[int]) -> list[psutil.Process]:
    found: list[psutil.Process] = []
    for pid in pids:
        with suppress(psutil.Error):
            process = psutil.Process(pid)
            found += [process, *process.children(recursive=True)]
    return found


def redis_cpu(client: Redis) -> float:
    """CPU-seconds (user and system) that the Redis server has used."""
    info: Any = client.info("cpu")
    return float(info["used_cpu_user"]) + float(info["used_cpu_sys"])


def run_program(
    name: str,
    argv: Sequence[str | Path],
    *,
    folder: Path,
    env: dict[str, str],
    limit: float = 180.0,
    redis: Redis | None = None,
) -> tuple[Run, dict[str, Any]]:
    """Run a program that reads a topic and ends with one line of JSON on its output.

    The line holds `posts`, `seconds` and `cpu_seconds` from the first record on, by the program's
    own clocks: its start is not counted.  Raises `UserError` where it fails or takes longer than
    `limit` seconds.
    """
    log = folder / f"{name}-{time.monotonic_ns()}.log"
    child = Child(name, argv, log=log, env=env, cwd=folder)
    before = None if redis is None else redis_cpu(redis)
    rss = 0.0
    with child:
        deadline = time.monotonic() + limit
        while child.running and time.monotonic() < deadline:
            rss = max(rss, tree_rss([child.pid]))
            with suppress(subprocess.TimeoutExpired):
                child.wait(_POLL_SECONDS)
    try:
        if child.returncode != 0:
            raise ValueError(f"status {child.returncode}")
        said = json.loads(child.log_tail(1))
    except ValueError as error:
        raise UserError(f"{name} failed ({error}): {child.log_tail(5)}") from error
    run = Run(
        posts=said["posts"],
        seconds=said["seconds"],
        cpu_seconds=said["cpu_seconds"],
        redis_cpu_seconds=None if redis is None or before is None else redis_cpu(redis) - before,
        rss_mb=rss,
        exact=None,
    )
    return run, said


def exact(said: dict[str, Any], posts: int, truth: dict[str, Any]) -> bool | None:
    """Whether a program that has read the whole topic has counted what is true.

    It tells `unique` posts and `tags`, the sum over its counts by minute, hashtag and language.
    """
    if said["posts"] < posts:
        return None
    return bool(
        said["unique"] == truth["counted"] and said["tags"] == sum(truth["hashtags"].values())
    )
