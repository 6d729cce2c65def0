"""What Redis pays: CPU a million posts, bytes a seen uid, and how long its scripts block it.

    python -m tests.benchmarks.redis_cost [--posts N] [--payload NAME] [--share S]

One run of one worker over a topic, every command of which Redis notes in its slow log; then the
same posts in full batches to a Redis that has a core of its own: how long the scripts really take.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any, Final, NamedTuple

from redis import Redis

from streams.store.commit import script
from tests.benchmarks import redis_alone, streams_worker
from tests.benchmarks.firehose import PAYLOADS, Firehose
from tests.benchmarks.services import entry, services
from tests.benchmarks.topics import fill

say: Final = sys.stdout.write
_COMMANDS: Final = 8  # that are shown
_SCRIPTS: Final = files("streams.store") / "lua"


class Seen(NamedTuple):
    """The sets of seen uids."""

    uids: int
    keys: int
    bytes: int  # with their keys, as MEMORY USAGE counts
    encodings: dict[str, int]  # sets by Redis' encoding


def seen_sets(redis: Redis) -> Seen:
    """Every set of seen uids in this Redis."""
    uids = keys = size = 0
    encodings: Counter[str] = Counter()
    for key in redis.scan_iter(match="*:seen:*", count=1000):
        keys += 1
        uids += int(redis.scard(key))
        size += int(redis.memory_usage(key, samples=0) or 0)
        encodings[_text(redis.object("ENCODING", key))] += 1
    return Seen(uids, keys, size, dict(encodings))


def script_times(redis: Redis) -> dict[str, list[float]]:
    """Milliseconds of each call, ascending, by script: from a slow log that holds everything."""
    scripts = {
        script.name: script.read_text()
        for script in _SCRIPTS.iterdir()
        if script.name.endswith(".lua")
    }
    scripts |= {
        "seen.lua": script("here", "seen"),
        "commit.lua": script("here", "keep", "commit"),
    }
    names = {
        hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest(): name
        for name, text in scripts.items()
    }
    times: dict[str, list[float]] = {}
    noted: Any = redis.slowlog_get(-1)
    for one in noted:
        words = one["command"].split(b" ", 2)
        if words[0].upper() == b"EVALSHA":
            name = names.get(words[1].decode(), "another script")
            times.setdefault(name, []).append(one["duration"] / 1000)
    return {name: sorted(calls) for name, calls in sorted(times.items())}


def commands(redis: Redis) -> dict[str, tuple[int, float]]:
    """Calls and CPU-microseconds a call by command, also of those inside scripts; dearest first."""
    stats: Any = redis.info("commandstats")
    ranked = sorted(stats.items(), key=lambda item: -item[1]["usec"])
    return {
        name.removeprefix("cmdstat_"): (one["calls"], one["usec_per_call"]) for name, one in ranked
    }


def quantile(ordered: Sequence[float], share: float) -> float:
    """The value that `share` (0-1) of the ascending values do not exceed."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def told(where: str, times_of: Mapping[str, Sequence[float]]) -> None:
    """Print how long scripts took (ms)."""
    for name, times in times_of.items():
        parts = ", ".join(
            f"{label} {quantile(times, share):.2f}"
            for label, share in (("p50", 0.5), ("p99", 0.99), ("p99.9", 0.999), ("max", 1))
        )
        say(f"{name}, {where}: {len(times):,} calls, ms: {parts} (wanted: p99.9 5 at most)\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print; 1 where a count was wrong."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--posts", type=int, default=1_000_000)
    parser.add_argument("--payload", choices=PAYLOADS, default="compact-v2")
    parser.add_argument("--share", type=float, default=0.05)
    given = parser.parse_args(arguments)
    with services() as running, Redis.from_url(running.redis_url) as redis:
        redis.config_set("slowlog-log-slower-than", 0)
        redis.config_set("slowlog-max-len", 1_000_000)
        kafka = running.settings("fill", raw="posts").kafka
        firehose = Firehose(PAYLOADS[given.payload], given.posts, share=given.share)
        topic = asyncio.run(fill(kafka, firehose))
        redis.slowlog_reset()
        redis.config_resetstat()
        run = streams_worker.run(running, topic)
        calls_of, times_of = commands(redis), script_times(redis)
        redis.slowlog_reset()  # it takes memory, too
        info: Any = redis.info()
        say(f"Redis {info['redis_version']}, {topic.posts:,} posts ({given.payload})\n")
        cost = (run.redis_cpu_seconds or 0) / run.posts * 1e6
        say(f"CPU: {cost:.2f} s a million posts (wanted: 4 at most)\n")
        seen = seen_sets(redis)
        say(
            f"seen: {seen.bytes / seen.uids:.1f} bytes a uid (wanted: 16 at most); "
            f"{seen.uids:,} uids in {seen.keys:,} sets: {seen.encodings}\n"
        )
        say(f"memory: {info['used_memory'] / 2**20:.1f} MiB in all\n")
        told("beside Kafka and the worker", times_of)
        for name, (calls, each) in list(calls_of.items())[:_COMMANDS]:
            say(f"{name}: {calls / run.posts:.2f} calls a post, {each:.1f} us each\n")
        redis.flushall()
        redis.slowlog_reset()
        firehose = Firehose(PAYLOADS[given.payload], given.posts, share=given.share)
        redis_alone.write(running, firehose, given.posts)
        told("on a core of its own", script_times(redis))
    return int(run.exact is False)


if __name__ == "__main__":
    raise SystemExit(entry(main))
