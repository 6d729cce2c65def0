"""The capacity model: from posts a second and measured figures to machines and money.  Pure.

    python -m deploy.scale.model [--write]

prints the tables of `deploy/SCALE.md`; with `--write` puts them into it.
"""

from __future__ import annotations

import argparse
import sys
import tomllib
from collections.abc import Mapping, Sequence
from math import ceil
from pathlib import Path
from typing import Any, Final, NamedTuple

HERE: Final = Path(__file__).parent
FIGURES: Final = HERE / "figures.toml"
DOCUMENT: Final = HERE.parent / "SCALE.md"
RATES: Final = {"a large campaign": 1_000, "X, mean day": 6_000, "X, record": 143_199, "all": 10**6}
_BEGIN: Final = "<!-- from here on written by `make scale` -->"
_END: Final = "<!-- to here -->"
_HEADROOM: Final = 2  # partitions a worker has at least, so that workers can be added
_GIB: Final = 2**30

Figures = Mapping[str, Mapping[str, float]]


class Plan(NamedTuple):
    """What a rate (posts/s) needs.  Memory in GiB, disk in TiB, money in US dollars a month."""

    rate: float
    cores: float  # CPU-seconds a second of all workers
    workers: int
    partitions: int
    redis_cores: float
    seen_gib: float
    redis_gib: float
    redis_nodes: int  # primaries
    bound_by: str  # what the number of Redis nodes follows
    kafka_mib_s: float  # one copy, compressed
    brokers: int
    disk_tib: float
    money: float


def figures(path: Path = FIGURES) -> dict[str, dict[str, float]]:
    """The data file."""
    found: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    return found


def post_us(given: Figures) -> float:
    """CPU-microseconds of a worker a post."""
    worker = given["worker"]
    return worker["parse_us"] * worker["pure_per_parse"] + worker["around_us"]


def plan(rate: float, given: Figures) -> Plan:
    """Machines for a sustained rate of posts a second."""
    worker, redis, kafka = given["worker"], given["redis"], given["kafka"]
    cores = rate * post_us(given) / 1e6
    workers = ceil(cores / worker["busy"])
    partitions = _power_of_two(
        max(workers * _HEADROOM, ceil(rate / given["partition"]["most_posts"]), 8)
    )
    redis_cores = rate * redis["cpu_s_per_million"] / 1e6
    seen = rate * given["dedupe"]["horizon_hours"] * 3600 * redis["uid_bytes"] / _GIB
    memory = seen + partitions * redis["counter_mib"] / 1024
    by_memory = ceil(memory / (redis["node_gib"] * redis["full"]))
    by_cpu = ceil(redis_cores / redis["busy"])
    nodes = max(by_memory, by_cpu)
    copies = nodes * (1 + int(redis["replicas"]))
    stream = rate * kafka["record_bytes"] * kafka["compression"] / 2**20
    disk = stream * kafka["retention_hours"] * 3600 * kafka["replication"] / 2**20
    # Each byte is written `replication` times, and read by workers and by followers.
    through = stream * (2 * kafka["replication"])
    brokers = max(
        int(kafka["replication"]),
        ceil(through / kafka["broker_mib_s"]),
        ceil(disk / kafka["broker_tib"]),
    )
    cost = given["cost"]
    money = (
        workers * (cost["core"] + worker["memory_gib"] * cost["gib_memory"])
        + copies * (2 * cost["core"] + redis["node_gib"] / 0.8 * cost["gib_memory"])
        + brokers * (4 * cost["core"] + 32 * cost["gib_memory"])
        + disk * cost["tib_disk"]
    )
    return Plan(
        rate,
        cores,
        workers,
        partitions,
        redis_cores,
        seen,
        memory,
        nodes,
        "memory" if by_memory >= by_cpu else "CPU",
        stream,
        brokers,
        disk,
        money,
    )


def _power_of_two(least: int) -> int:
    return 1 << (least - 1).bit_length()


def tables(given: Figures) -> str:
    """Markdown."""
    plans = {name: plan(rate, given) for name, rate in RATES.items()}
    rows = {
        "posts/s": [f"{found.rate:,.0f}" for found in plans.values()],
        "CPU-s/s of workers": [f"{found.cores:,.2f}" for found in plans.values()],
        "workers (one core each)": [f"{found.workers:,}" for found in plans.values()],
        "partitions": [f"{found.partitions:,}" for found in plans.values()],
        "CPU-s/s of Redis": [f"{found.redis_cores:,.2f}" for found in plans.values()],
        "seen uids, GiB": [f"{found.seen_gib:,.1f}" for found in plans.values()],
        "Redis in all, GiB": [f"{found.redis_gib:,.1f}" for found in plans.values()],
        "Redis primaries (bound by)": [
            f"{found.redis_nodes:,} ({found.bound_by})" for found in plans.values()
        ],
        "Kafka, MiB/s of one copy": [f"{found.kafka_mib_s:,.1f}" for found in plans.values()],
        "Kafka brokers": [f"{found.brokers:,}" for found in plans.values()],
        "Kafka disk, TiB": [f"{found.disk_tib:,.1f}" for found in plans.values()],
        "US dollars a month": [f"{round(found.money, -2):,.0f}" for found in plans.values()],
    }
    lines = ["| | " + " | ".join(plans) + " |", "|---" + "|---:" * len(plans) + "|"]
    lines += [f"| {name} | " + " | ".join(values) + " |" for name, values in rows.items()]
    return "\n".join(lines)


def written(document: str, given: Figures) -> str:
    """The document with its tables made anew.  Raises ValueError without the marks."""
    before, _, rest = document.partition(_BEGIN)
    _, mark, after = rest.partition(_END)
    if not mark:
        raise ValueError("SCALE.md has lost the marks of its tables")
    return f"{before}{_BEGIN}\n{tables(given)}\n{_END}{after}"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="The capacity model's tables.")
    parser.add_argument("--write", action="store_true", help="into deploy/SCALE.md")
    if parser.parse_args(arguments).write:
        document = written(DOCUMENT.read_text(encoding="utf-8"), figures())
        DOCUMENT.write_text(document, encoding="utf-8")
    else:
        sys.stdout.write(tables(figures()) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
