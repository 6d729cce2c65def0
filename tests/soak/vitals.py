"""What must not grow: memory, descriptors and connections of processes, and Redis' keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import mean
from typing import Any, Final, NamedTuple

import psutil
from redis import Redis

#: Growth between the two stretches that is none: a share of the first, and so much in any case.
_SHARE: Final = 0.10
_SLACK: Final[Mapping[str, float]] = {
    "MiB": 12.0,
    "descriptors": 8.0,
    "connections": 6.0,
    "keys": 500.0,
}


class Vital(NamedTuple):
    """One thing that is looked at."""

    owner: str  # worker, exporter, Redis
    unit: str


class Growth(NamedTuple):
    """Averages over two stretches of the run, both after all windows are full."""

    vital: Vital
    before: float
    after: float

    @property
    def too_much(self) -> bool:
        return self.after > self.before * (1 + _SHARE) + _SLACK[self.vital.unit]


def look(processes: Mapping[str, int], redis: Redis) -> dict[Vital, float]:
    """One look at everything; `processes` are pids by name."""
    found: dict[Vital, float] = {}
    for name, pid in processes.items():
        process = psutil.Process(pid)
        with process.oneshot():
            found[Vital(name, "MiB")] = process.memory_info().rss / 2**20
            found[Vital(name, "descriptors")] = process.num_fds()
            found[Vital(name, "connections")] = len(process.net_connections())
    info: Any = redis.info()
    found[Vital("Redis", "MiB")] = info["used_memory"] / 2**20
    found[Vital("Redis", "connections")] = info["connected_clients"]
    found[Vital("Redis", "keys")] = redis.dbsize()
    return found


def growth(
    looks: Sequence[tuple[float, Mapping[Vital, float]]],
    before: tuple[float, float],
    after: tuple[float, float],
) -> list[Growth]:
    """`looks` with how far the run was (0-1); the stretches as shares of the run."""

    def average(vital: Vital, stretch: tuple[float, float]) -> float:
        return mean(one[vital] for at, one in looks if stretch[0] <= at <= stretch[1])

    return [Growth(vital, average(vital, before), average(vital, after)) for vital in looks[0][1]]


def bytes_per_hashtag(redis: Redis) -> tuple[float, int]:
    """Bytes of the totals of a hashtag (as MEMORY USAGE counts them), and how many are alive."""
    tags = size = 0
    for key in redis.scan_iter(match="*:tag:*", count=1000):
        tags += 1
        size += int(redis.memory_usage(key) or 0)
    for name in ("tags", "tagged"):
        for key in redis.scan_iter(match=f"*:{name}", count=1000):
            size += int(redis.memory_usage(key, samples=0) or 0)
    return size / max(1, tags), tags
