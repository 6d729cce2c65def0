"""What `make bench` prints and writes: rows, medians, ratios, and how far the targets are."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from tests.benchmarks.measure import Run

_WIDTH: Final = 150


@dataclass
class Row:
    """The runs of one system on one topic; `ceilings` are the ceiling's of the same turns."""

    system: str
    payload: str
    share: float
    workers: int = 1
    runs: list[Run] = field(default_factory=list)
    ceilings: list[Run] = field(default_factory=list)

    @property
    def ratios(self) -> list[float]:
        """Posts per CPU-second, as a part of the ceiling's in the same turn."""
        pairs = zip(self.runs, self.ceilings, strict=True)
        return [run.per_cpu_second / ceiling.per_cpu_second for run, ceiling in pairs]

    @property
    def exact(self) -> bool | None:
        """False where one run has counted wrong; None where none has read everything."""
        known = [run.exact for run in self.runs if run.exact is not None]
        return all(known) if known else None

    @property
    def redis(self) -> float | None:
        """CPU-seconds of Redis per million posts; None where it takes no part."""
        costs = [
            run.redis_cpu_seconds / run.posts * 1e6
            for run in self.runs
            if run.redis_cpu_seconds is not None
        ]
        return median(costs) if costs else None

    def document(self) -> dict[str, Any]:
        """An object of `BENCH.json`: medians."""
        runs = self.runs
        return {
            "system": self.system,
            "payload": self.payload,
            "campaign_share": self.share,
            "workers": self.workers,
            "posts": int(median(run.posts for run in runs)),
            "posts_per_second": round(median(run.per_second for run in runs)),
            "posts_per_cpu_second": round(median(run.per_cpu_second for run in runs)),
            "redis_cpu_seconds_per_million": None if self.redis is None else round(self.redis, 3),
            "rss_mb": round(median(run.rss_mb for run in runs), 1),
            "ratio_to_ceiling": round(median(self.ratios), 4) if self.ratios else None,
            "exact": self.exact,
        }


#: Of `streams` to another row of the same turns, in posts per CPU-second: system, payload, share,
#: the other system, and the least that is wanted.
_TARGETS: Final = (
    ("streams", "compact-v2", 0.05, "ceiling", 1.0),
    ("streams", "compact-v2", 0.05, "kafka-streams", 2.5),
    ("streams", "compact-v2", 0.05, "quix", 5.0),
    ("streams", "compact-v2", 0.05, "plain-faust", 60.0),
    ("streams", "v1.1", 0.05, "ceiling", 1.2),
    ("streams", "full-v2", 0.05, "ceiling", 1.2),
    ("streams", "compact-v2", 1.0, "ceiling", 0.6),
    ("streams-any", "compact-v2", 0.05, "ceiling", 0.5),
)


def write(rows: Iterable[Row], path: Path) -> None:
    """The rows as JSON, for programs."""
    path.write_text(json.dumps([row.document() for row in rows], indent=1) + "\n")


def show(rows: Sequence[Row], console: Console | None = None) -> None:
    """The rows as a table, and the targets, for people: medians, the best in brackets."""
    console = console or Console(width=_WIDTH)
    table = Table(
        *("system", "payload", "campaign", "workers", "posts", "posts/s", "posts per CPU-s"),
        *("Redis CPU-s/M", "MiB", "of the ceiling", "exact"),
        box=None,
    )
    for column in table.columns[2:-1]:
        column.justify = "right"
    for row in rows:
        one = row.document()
        best = max(run.per_cpu_second for run in row.runs)
        cost, ratio = one["redis_cpu_seconds_per_million"], one["ratio_to_ceiling"]
        table.add_row(
            row.system,
            row.payload,
            f"{row.share:.0%}",
            str(row.workers),
            f"{one['posts']:,}",
            f"{one['posts_per_second']:,} ({max(run.per_second for run in row.runs):,.0f})",
            f"{one['posts_per_cpu_second']:,} ({best:,.0f})",
            "" if cost is None else f"{cost:.2f}",
            f"{one['rss_mb']:,.0f}",
            "" if ratio is None else f"{ratio:.3f} ({max(row.ratios):.3f})",
            {True: "yes", False: "NO", None: "-"}[row.exact],
        )
    console.print(table)
    for line in targets(rows):
        console.print(line, markup=False, highlight=False)


def targets(rows: Iterable[Row]) -> list[str]:
    """A line for each target whose rows were measured."""
    known = {(row.system, row.payload, row.share): row for row in rows}
    lines = []
    for system, payload, share, other, wanted in _TARGETS:
        ours, theirs = known.get((system, payload, share)), known.get((other, payload, share))
        if ours is None or theirs is None:
            continue
        pairs = zip(ours.runs, theirs.runs, strict=False)
        reached = median(run.per_cpu_second / run2.per_cpu_second for run, run2 in pairs)
        verdict = "reached" if reached >= wanted else "missed"
        lines.append(
            f"{verdict}: {system} on {payload}, {share:.0%} of a campaign: "
            f"{reached:.2f} x {other} (wanted: {wanted})"
        )
    return lines
