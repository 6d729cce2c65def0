"""When posts arrive: the rate curve of a scenario, as a sequence of times."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate, pairwise
from typing import Final

from streams.ingest.simulate.dice import Dice
from streams.ingest.simulate.scenario import Scenario, ScenarioError, milliseconds

MINUTE_MS: Final = 60_000
# Posts spread at random together: bursty within seconds, on the curve within minutes.
_BLOCK: Final = 128
_BURST: Final = 0.35  # a known account's post lifts the rate by as much ...
_BURST_FADES: Final = 0.92  # ... and a minute later by this part of it


class Clock:
    """The rate curve of a scenario, scaled to a number of posts."""

    def __init__(self, scenario: Scenario, posts: int) -> None:
        self._start = scenario.start_ms
        self._posts = posts
        self._minutes = _minutes(scenario)
        self._until = list(accumulate(self._minutes))
        total = self._until[-1]
        if total <= 0:
            raise ScenarioError(f"{scenario.name}: the rate is 0 all day")
        self._until = [value / total for value in self._until]

    def index_at(self, ms: int) -> int:
        """About how many posts arrive before a time."""
        minute = (ms - self._start) // MINUTE_MS
        if minute <= 0:
            return 0
        return int(self._until[min(minute, len(self._until)) - 1] * self._posts)

    def times(self, dice: Dice) -> Iterator[int]:
        """Arrival times in ms UTC, ascending, one for each post."""
        minute = 0
        low, high = 0.0, self._until[0]
        last = len(self._until) - 1
        for first in range(0, self._posts, _BLOCK):
            size = min(_BLOCK, self._posts - first)
            for share in sorted([dice.random() for _ in range(size)]):
                at = (first + share * size) / self._posts
                while at >= high and minute < last:
                    minute += 1
                    low, high = high, self._until[minute]
                yield self._start + minute * MINUTE_MS + int((at - low) / (high - low) * MINUTE_MS)


def _minutes(scenario: Scenario) -> list[float]:
    """Posts in each minute of the day, unscaled."""
    start = scenario.start_ms
    midnight = start - start % (24 * 60 * MINUTE_MS)
    offset = (start - midnight) // MINUTE_MS
    length = int(scenario.hours * 60)
    knots = [(_parse(at, scenario) - offset, rate) for at, rate in scenario.rate]
    if any(later[0] <= earlier[0] for earlier, later in pairwise(knots)):
        raise ScenarioError(f"{scenario.name}: the times of `rate` do not ascend")
    if knots[0][0] > 0 or knots[-1][0] < length:
        raise ScenarioError(f"{scenario.name}: `rate` does not cover the day")
    curve: list[float] = []
    for (t0, r0), (t1, r1) in pairwise(knots):
        curve.extend(
            (r0 + (r1 - r0) * (minute + 0.5 - t0) / (t1 - t0)) / 60
            for minute in range(max(t0, 0), min(t1, length))
        )
    for known in scenario.known:
        _lift(curve, (milliseconds(known.at) - start) // MINUTE_MS)
    return curve


def _lift(curve: list[float], minute: int) -> None:
    """A burst from a minute on; what it adds is taken from the rest of its hour."""
    hour = minute // 60 * 60
    before = sum(curve[hour : hour + 60])
    lift = _BURST
    for at in range(minute, min(hour + 60, len(curve))):
        curve[at] *= 1 + lift
        lift *= _BURST_FADES
    scale = before / (sum(curve[hour : hour + 60]) or 1)
    for at in range(hour, min(hour + 60, len(curve))):
        curve[at] *= scale


def _parse(at: str, scenario: Scenario) -> int:
    hours, _, minutes = at.partition(":")
    try:
        return int(hours) * 60 + int(minutes)
    except ValueError:
        raise ScenarioError(f"{scenario.name}: `rate` has a time {at!r}, not hh:mm") from None
