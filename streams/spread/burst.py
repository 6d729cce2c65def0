"""Burst score: how far a series of counts has left what was usual for it."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, sqrt
from typing import Final

#: A bucket with this score or a higher one is an alarm.
ALARM: Final[float] = 10.0


class Burst:
    """Deviation of each bucket from an exponentially weighted mean, with a Poisson floor."""

    def __init__(self, step: float, memory: float = 86_400.0, warm: float = 1800.0) -> None:
        self._gain = 1 - exp(-step / memory)
        self._warm = warm / step
        self._seen = 0
        self._mean = self._variance = 0.0

    def update(self, count: int) -> float:
        """Score of the bucket, taken before mean and variance are updated."""
        off = count - self._mean
        score = (
            off / sqrt(max(self._variance, self._mean, 1.0)) if self._seen >= self._warm else 0.0
        )
        self._seen += 1
        gain = max(self._gain, 1 / self._seen)
        self._mean += gain * off
        self._variance = (1 - gain) * (self._variance + gain * off * off)
        return score


def score(counts: Sequence[int], step: float) -> float:
    """Score of the last of `counts`; 0 where there is none."""
    burst, last = Burst(step), 0.0
    for count in counts:
        last = burst.update(count)
    return last
