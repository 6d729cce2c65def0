"""Series of mention counts with labelled windows, and the rules by which alarms on them count.

Source of series and windows: numenta/NAB (realTweets, MIT), beside the project, never in it.  The
rules are plainer than NAB's own score: a window is caught or not, and what else rings is false.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

#: Seconds after an alarm in which nothing rings again: one burst is one page.
SILENCE: Final = 6 * 3600
#: Share of a series, from its start, in which an alarm outside of windows is not held against it.
PROBATION: Final = 0.15
_WEEK: Final = 7 * 86_400


class Series(NamedTuple):
    """Counts of buckets of `step` seconds; `times` and `windows` in seconds since 1970."""

    name: str
    step: float
    times: list[float]
    counts: list[int]
    windows: list[tuple[float, float]]


class Outcome(NamedTuple):
    """What the alarms on a series were worth.

    `delays`: of each caught window, seconds from its start to the first alarm in it; `windows`: how
    many there are; `false`: alarms outside of them; `weeks`: the time in which those count.
    """

    delays: list[float]
    windows: int
    false: int
    weeks: float

    @property
    def caught(self) -> int:
        """Windows with an alarm in them."""
        return len(self.delays)

    @property
    def false_per_week(self) -> float:
        """False alarms a week and series."""
        return self.false / self.weeks

    @property
    def mean_delay(self) -> float:
        """Mean of `delays` in seconds, 0 without any."""
        return sum(self.delays) / len(self.delays) if self.delays else 0.0


def read(folder: Path) -> list[Series]:
    """All series of `folder` (`windows.json`, `series/*.csv`), by name."""
    windows = json.loads((folder / "windows.json").read_text(encoding="utf-8"))
    found = []
    for path in sorted((folder / "series").glob("*.csv")):
        with path.open(encoding="utf-8", newline="") as lines:
            rows = [
                (_seconds(row["timestamp"]), int(row["value"])) for row in csv.DictReader(lines)
            ]
        times, counts = [time for time, _ in rows], [count for _, count in rows]
        labelled = [(_seconds(start), _seconds(end)) for start, end in windows[path.name]]
        name = path.stem.removeprefix("Twitter_volume_")
        found.append(Series(name, times[1] - times[0], times, counts, labelled))
    return found


def judge(series: Series, scores: Sequence[float], alarm: float) -> Outcome:
    """The alarms `scores[i] >= alarm`, by the rules: silence, windows, probation."""
    counted_from = series.times[int(len(series.times) * PROBATION)]
    silent_until = float("-inf")
    first: dict[tuple[float, float], float] = {}
    false = 0
    for time, score in zip(series.times, scores, strict=True):
        if score < alarm or time < silent_until:
            continue
        silent_until = time + SILENCE
        inside = [window for window in series.windows if window[0] <= time <= window[1]]
        for window in inside:
            first.setdefault(window, time - window[0])
        if not inside and time >= counted_from:
            false += 1
    weeks = (series.times[-1] - counted_from) / _WEEK
    return Outcome(list(first.values()), len(series.windows), false, weeks)


def total(outcomes: Sequence[Outcome]) -> Outcome:
    """All series as one; `weeks` adds up, so that rates stay a week and series."""
    return Outcome(
        [delay for outcome in outcomes for delay in outcome.delays],
        sum(outcome.windows for outcome in outcomes),
        sum(outcome.false for outcome in outcomes),
        sum(outcome.weeks for outcome in outcomes),
    )


def _seconds(stamp: str) -> float:
    return datetime.fromisoformat(stamp).replace(tzinfo=UTC).timestamp()
