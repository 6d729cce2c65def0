"""What the demo shows while it runs."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping
from typing import Any, NamedTuple

from rich.table import Table

from streams.demo.compare import Row


class Sample(NamedTuple):
    """One look at the pipeline: the counts document, posts produced, posts/s of the campaign."""

    counts: Mapping[str, Any]
    produced: int
    velocity: float | None

    @property
    def posts(self) -> int:
        """That the worker has read."""
        return int(self.counts.get("posts", 0))

    @property
    def lag(self) -> int:
        """Posts that wait; what Kafka has not acknowledged yet may be read already."""
        return max(0, self.produced - self.posts)


class Progress:
    """Turns samples into the live table; the rate is over the last few seconds."""

    def __init__(self, total: int, urls: Mapping[str, str]) -> None:
        self._total = total
        self._urls = urls
        self._seen: deque[tuple[float, int]] = deque(maxlen=10)

    def table(self, sample: Sample) -> Table:
        counts = sample.counts
        self._seen.append((time.monotonic(), sample.posts))
        (then, before), (now, after) = self._seen[0], self._seen[-1]
        rate = (after - before) / (now - then) if now > then else 0.0
        table = Table.grid(padding=(0, 2))
        for name, value in (
            ("posts in", f"{sample.produced:,} of {self._total:,}"),
            ("counted", f"{counts.get('counted', 0):,}"),
            ("duplicates", f"{counts.get('duplicates', 0):,}"),
            ("dead", f"{counts.get('dead', 0):,}"),
            ("rate", f"{rate:,.0f} posts/s"),
            ("lag", f"{sample.lag:,} posts"),
            (
                "velocity",
                "-"
                if sample.velocity is None
                else f"{sample.velocity:,.2f} posts/s of #metoo (1m, event time)",
            ),
            *self._urls.items(),
        ):
            table.add_row(f"[bold]{name}[/bold]", value)
        return table


def summary(rows: list[Row]) -> Table:
    """The table *counted / true / difference*."""
    table = Table(title="counted against true")
    table.add_column("what")
    table.add_column("value")
    for name in ("counted", "true", "difference"):
        table.add_column(name, justify="right")
    for row in rows:
        style = "bold red" if row.difference else None
        table.add_row(
            row.group or "all",
            row.name,
            f"{row.counted:,}",
            f"{row.true:,}",
            f"{row.difference:,}",
            style=style,
        )
    return table
