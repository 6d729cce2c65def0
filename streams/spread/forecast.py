"""Posts to expect: the last window again, with a Poisson interval.  A first, plain version."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from typing import NamedTuple


class Forecast(NamedTuple):
    """Posts in (t, t + horizon]; between `low` and `high` with a chance of 80 %."""

    low: float
    mid: float
    high: float


def forecast(counts: Sequence[int], step: float, horizon: float) -> Forecast | None:
    """From the newest `counts` (oldest first, `step` s each); None with too few of them."""
    length = max(1, round(horizon / step))
    if len(counts) < length:
        return None
    mid = sum(counts[-length:]) * horizon / (length * step)
    off = 1.28 * sqrt(max(mid, 1.0))
    return Forecast(max(0.0, mid - off), mid, mid + off)


def crossing_seconds(
    counts: Sequence[int], step: float, velocity: float, window: float, limit: float
) -> float | None:
    """Seconds until the velocity (posts/s) over `window` s is reached; None if not expected."""
    length = max(1, round(window / step))
    return 0.0 if sum(counts[-length:]) >= velocity * window else None


def reaching_seconds(counts: Sequence[int], step: float, posts: int, limit: float) -> float | None:
    """Seconds until so many further posts are expected; None if not within `limit` s."""
    length = max(1, round(3600 / step))
    rate = sum(counts[-length:]) / (length * step)
    if posts <= 0:
        return 0.0
    seconds = posts / rate if rate else limit + 1
    return seconds if seconds <= limit else None
