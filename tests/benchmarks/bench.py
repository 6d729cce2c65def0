"""`make bench`: this pipeline, the ceiling and other systems on the same records, side by side.

    python -m tests.benchmarks.bench [--posts N] [--runs 5] [--payload NAME]... [--share S]...
                                     [--systems NAME]... [--out BENCH.json]

Every turn runs each system once, so that a slow minute of the machine hits them all; ratios are
taken within a turn.  The other systems are measured on the first of the cases alone.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from streams.errors import UserError
from tests.benchmarks import ceiling, plain_faust, quix, streams_worker, table
from tests.benchmarks.firehose import PAYLOADS, Firehose
from tests.benchmarks.kafka_streams import harness as kafka_streams
from tests.benchmarks.measure import Missing, Run
from tests.benchmarks.services import Services, entry, say, services
from tests.benchmarks.table import Row
from tests.benchmarks.topics import Topic, fill, remove

System = Callable[[Services, Topic], Run]

_OWN: Final[dict[str, System]] = {
    "streams": streams_worker.run,
    "streams-any": lambda services, topic: streams_worker.run(services, topic, mode="any"),
}
_OTHERS: Final[dict[str, System]] = {
    "plain-faust": plain_faust.run,
    "quix": quix.run,
    "kafka-streams": kafka_streams.run,
}
SYSTEMS: Final = (*_OWN, *_OTHERS)
#: The first is the one on which everything is measured.
CASES: Final = (
    ("compact-v2", 0.05),
    ("compact-v2", 1.0),
    ("full-v2", 0.05),
    ("v1.1", 0.05),
    ("jetstream", 0.05),
)


def measure(
    running: Services, payload: str, share: float, *, posts: int, runs: int, systems: Sequence[str]
) -> list[Row]:
    """All turns of one case; a system that cannot be had is left out, and that is said.

    Raises `UserError` where this pipeline itself fails.
    """
    kafka = running.settings("fill", raw=f"posts.{payload}.{share}").kafka
    say(f"{payload}, {share:.0%} of a campaign: filling a topic with {posts:,} posts")
    topic = asyncio.run(fill(kafka, Firehose(PAYLOADS[payload], posts, share=share)))
    fetch = ceiling.best_fetch(running, topic)
    say(f"  {topic.bytes / topic.posts:,.0f} bytes a post; the ceiling's best settings: {fetch}")
    rows = {name: Row(name, payload, share) for name in ("ceiling", *systems)}
    for turn in range(1, runs + 1):
        limit = ceiling.run(running, topic, fetch)
        rows["ceiling"].runs.append(limit)
        rows["ceiling"].ceilings.append(limit)
        _tell(turn, "ceiling", limit)
        for name in [name for name in systems if name in rows]:
            try:
                run = ({**_OWN, **_OTHERS})[name](running, topic)
            except (Missing, UserError) as error:
                if name in _OWN:
                    raise
                say(f"  {name} is left out: {error}")
                del rows[name]
                continue
            rows[name].runs.append(run)
            rows[name].ceilings.append(limit)
            _tell(turn, name, run)
    asyncio.run(remove(kafka, [topic.name]))
    return list(rows.values())


def _tell(turn: int, name: str, run: Run) -> None:
    wrong = "" if run.exact is not False else ", NOT EXACT"
    say(
        f"  turn {turn}: {name}: {run.posts:,} posts, {run.per_second:,.0f}/s, "
        f"{run.per_cpu_second:,.0f} per CPU-second{wrong}"
    )


def _cases(payloads: Sequence[str], shares: Sequence[float]) -> list[tuple[str, float]]:
    """The default cases, or those of the payloads and shares that were asked for."""
    if shares:
        return [(payload, share) for payload in payloads or ["compact-v2"] for share in shares]
    return [case for case in CASES if not payloads or case[0] in payloads]


def _systems(payload: str, share: float, asked: Sequence[str]) -> list[str]:
    if not PAYLOADS[payload].decodable:
        say(f"{payload}: streams has no decoder for it: only the ceiling is measured")
        return []
    wanted = SYSTEMS if (payload, share) == CASES[0] else ("streams",)
    return [name for name in wanted if not asked or name in asked]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, write; 1 where a count was wrong."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__.splitlines()[0])
    parser.add_argument("--posts", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--payload", action="append", choices=PAYLOADS, default=[])
    parser.add_argument("--share", action="append", type=float, default=[], help="0 to 1")
    parser.add_argument("--systems", action="append", choices=SYSTEMS, default=[])
    parser.add_argument("--out", type=Path, default=Path("BENCH.json"))
    given = parser.parse_args(arguments)
    rows: list[Row] = []
    with services() as running:
        for payload, share in _cases(given.payload, given.share):
            rows += measure(
                running,
                payload,
                share,
                posts=given.posts,
                runs=given.runs,
                systems=_systems(payload, share, given.systems),
            )
            table.write(rows, given.out)  # what is measured is kept, whatever comes
    table.show(rows)
    return int(any(row.exact is False for row in rows))


if __name__ == "__main__":
    raise SystemExit(entry(main))
