"""What the forecasts are worth: back-tests on the simulated day, counts by day, and mention counts.

    python -m tests.evaluation.forecast

At each bucket the forecast knows the past only.  `cover`: share of what came that lay within the
interval (80 % is promised); `below`: share that lay below it.  `error` and `growing`: mean absolute
error of `mid`, as a part of that of 'the same as the last window', in all and where the last window
had more posts than the one before.  `pinball`: mean loss of the two bounds as 10 % and 90 %
quantiles, in the same unit (Koenker and Bassett, Regression quantiles, 1978).  Less is better.

The shared series lie beside the repository; where they are absent, only the simulated day is tried.
"""

from __future__ import annotations

import csv
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Final, NamedTuple

from streams.ingest.simulate import load_scenario
from streams.ingest.simulate.clock import Clock
from streams.ingest.simulate.dice import Dice
from streams.spread.forecast import Forecast, Forecaster, forecast
from tests.evaluation import nab

SHARED: Final = Path(__file__).resolve().parents[3] / "shared" / "data"
SIZES: Final = (5_000, 50_000, 500_000)
SEEDS: Final = (11, 12)
HORIZONS: Final = (900, 3600)
DAY: Final = 86_400
#: The exporter's way is tried at every fifth minute.
_EVERY: Final = 5


class Case(NamedTuple):
    """What came in a window, what came in the two before, and what was forecast."""

    came: int
    last: int
    before: int
    found: Forecast


class Score(NamedTuple):
    """Shares of `cases`, and losses relative to the naive forecast's error."""

    cases: int
    cover: float
    below: float
    error: float
    growing: float
    pinball: float


def score(cases: Sequence[Case]) -> Score:
    """Of one series and horizon; `cases` is not empty and holds some growth."""

    def error(some: Iterable[Case]) -> float:
        some = list(some)
        naive = sum(abs(case.came - case.last) for case in some)
        return sum(abs(case.came - case.found.mid) for case in some) / naive

    naive = sum(abs(case.came - case.last) for case in cases)
    inside = sum(case.found.low <= case.came <= case.found.high for case in cases)
    below = sum(case.came < case.found.low for case in cases)
    loss = sum(
        _pinball(case.came, case.found.low, 0.1) + _pinball(case.came, case.found.high, 0.9)
        for case in cases
    )
    growing = error(case for case in cases if case.last > case.before)
    return Score(
        len(cases), inside / len(cases), below / len(cases), error(cases), growing, loss / naive
    )


def by_bucket(counts: Sequence[int], step: float, horizon: float) -> Iterator[Case]:
    """As `streams series` forecasts: bucket by bucket."""
    forecaster = Forecaster(step, horizon)
    length = round(horizon / step)
    until = [0, *accumulate(counts)]
    for at, count in enumerate(counts[:-length], 1):
        forecaster.update(count)
        found = forecaster.forecast()
        if found is not None and at >= 2 * length:
            yield _case(until, at, length, found)


def by_minute(counts: Sequence[int], horizon: float) -> Iterator[Case]:
    """As the exporter forecasts: anew from the last day's minutes."""
    length = round(horizon / 60)
    until = [0, *accumulate(counts)]
    for at in range(2 * length, len(counts) - length + 1, _EVERY):
        found = forecast(counts[max(0, at - 1440) : at], 60, horizon)
        if found is not None:
            yield _case(until, at, length, found)


def simulated(posts: int, seed: int) -> list[int]:
    """Records of the simulated day by minute of arrival."""
    scenario = load_scenario("metoo-day")
    times = Clock(scenario, posts).times(Dice(seed))
    minutes = Counter((time - scenario.start_ms) // 60_000 for time in times)
    return [minutes[minute] for minute in range(int(scenario.hours * 60))]


def daily(path: Path) -> list[int]:
    """The counts of a `created_at,id` file of days."""
    with path.open(encoding="utf-8", newline="") as lines:
        return [int(row["id"]) for row in csv.DictReader(lines)]


def backtests() -> Iterator[tuple[str, str, Sequence[Case]]]:
    """Source, name of series and horizon, cases."""
    for size in SIZES:
        for seed in SEEDS:
            counts = simulated(size, seed)
            for horizon in HORIZONS:
                name = f"{size:,} posts, seed {seed}, {_hours(horizon)}"
                yield "simulated day", name, list(by_minute(counts, horizon))
    if not SHARED.is_dir():
        return
    for series in nab.read(SHARED / "nab"):
        for horizon in HORIZONS:
            cases = list(by_bucket(series.counts, series.step, horizon))
            yield "nab", f"{series.name}, {_hours(horizon)}", cases
    days = daily(SHARED / "metoo" / "daily_posts.csv")
    yield "metoo by day", "posts, 24 h", list(by_bucket(days, DAY, DAY))


def report() -> Iterator[str]:
    """The table, with the mean over the series of each source and over all of them."""
    yield f"{'':44}{'cases':>8}{'cover':>8}{'below':>8}{'error':>8}{'growing':>9}{'pinball':>9}"
    sources: dict[str, list[Score]] = {}
    for source, name, cases in backtests():
        scored = score(cases)
        sources.setdefault(source, []).append(scored)
        yield _row(f"{source}: {name}", scored)
    yield ""
    for source, scores in sources.items():
        yield _row(f"{source}: mean of {len(scores)}", _mean(scores))
    every = [scored for scores in sources.values() for scored in scores]
    yield _row(f"total: mean of {len(every)}", _mean(every))
    if not SHARED.is_dir():
        yield f"no shared series at {SHARED}: the simulated day only"


def _mean(scores: Sequence[Score]) -> Score:
    """Every series counts the same, however many cases it has."""
    shares = (sum(column) / len(scores) for column in list(zip(*scores, strict=True))[1:])
    return Score(sum(scored.cases for scored in scores), *shares)


def _row(name: str, scored: Score) -> str:
    return (
        f"{name:44}{scored.cases:8,}{scored.cover:8.1%}{scored.below:8.1%}{scored.error:8.2f}"
        f"{scored.growing:9.2f}{scored.pinball:9.2f}"
    )


def _case(until: Sequence[int], at: int, length: int, found: Forecast) -> Case:
    return Case(
        until[at + length] - until[at],
        until[at] - until[at - length],
        until[at - length] - until[at - 2 * length],
        found,
    )


def _pinball(came: float, bound: float, share: float) -> float:
    return (came - bound) * share if came > bound else (bound - came) * (1 - share)


def _hours(horizon: int) -> str:
    return f"{horizon // 60} min" if horizon < 3600 else f"{horizon // 3600} h"


if __name__ == "__main__":
    for line in report():
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
