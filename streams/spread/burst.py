"""Burst score: how far a series of counts has left what was usual for it.

With x the count of a bucket, EW(.) an exponentially weighted mean or variance of the last five days
taken before the bucket is added, and day(h) half of what the hour of the day usually adds:

    slow = (EW4h(log(1 + x) - day) - EW(log(1 + x) - day)) / sd     hours that are unlike the days
    fast = (2 sqrt(x + 3/8) - EW(2 sqrt(x + 3/8))) / sd             a bucket that is unlike them
    score = max(slow + 0.2 fast, 0.3 fast)

Each sd is that of its own numerator's past values.  2 sqrt(x + 3/8) of a Poisson count has a
variance of 1 (F. Anscombe 1948), so the sd of `fast` is 1 at least: that is the Poisson floor, and
40 posts after nothing are 11 deviations.  `slow` finds what lasts: a wave may double a day's counts
and never have a bucket that is out of the ordinary.

The constants are from a broad optimum on five labelled series of mentions (`make eval-bursts`):
memory 4 to 9 days, 3 or 4 hours, a third or half of the day's shape and 0.15 to 0.25 of `fast` are
within one or two windows of each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, log1p, sqrt
from typing import Final

#: A bucket with this score or a higher one is an alarm.
ALARM: Final[float] = 3.15

_MEMORY: Final = 5 * 86_400.0  # seconds
_SMOOTH: Final = 4 * 3600.0
_WARM: Final = 6 * 3600.0  # scores are 0 until so much is known
_HOURS: Final = 24
_HOUR: Final = 3600.0
_DAY_SHARE: Final = 0.5
_FAST_SHARE: Final = 0.2
_FAST_ALONE: Final = 0.3
_LEAST_VARIANCE: Final = 0.03  # of `slow`: hours of a steady series differ by a sixth
_NOTHING: Final = 2 * sqrt(3 / 8)


class Burst:
    """Scores bucket after bucket, in constant memory and time.  Buckets are `step` seconds long."""

    def __init__(self, step: float) -> None:
        self._step = step
        self._gain = 1 - exp(-step / _MEMORY)
        self._smooth_gain = 1 - exp(-step / _SMOOTH)
        # An hour of the day has a 24th of the buckets, so its memory is as long in days.
        self._hour_gain = 1 - exp(-step * _HOURS / _MEMORY)
        self._hour_full = max(1.0, _HOUR / step)
        self._seen = 0
        self._smooth = self._mean = self._variance = 0.0
        self._level, self._level_variance = _NOTHING, 0.0
        self._usual = 0.0
        self._of_hour = [0.0] * _HOURS
        self._hour_seen = [0] * _HOURS

    def skip(self, zeros: int) -> None:
        """As many updates with 0, before any other: they change nothing but what is known."""
        for _ in range(zeros):
            self._hour_seen[int(self._seen * self._step // _HOUR) % _HOURS] += 1
            self._seen += 1

    def update(self, count: float) -> float:
        """Score of the bucket, taken before it becomes part of what is usual; finite."""
        seen = self._seen
        self._seen = seen + 1
        share = 1.0 / (seen + 1)
        gain = max(self._gain, share)
        hour = int(seen * self._step // _HOUR) % _HOURS
        value = log1p(count)
        rest = value
        if self._hour_seen[hour] >= self._hour_full:
            rest -= _DAY_SHARE * (self._of_hour[hour] - self._usual)
        self._smooth += max(self._smooth_gain, share) * (rest - self._smooth)
        slow = self._smooth - self._mean
        fast = 2 * sqrt(count + 3 / 8) - self._level
        if not seen:  # nothing to compare with
            fast, self._level = 0.0, self._level + fast
        score = 0.0
        if seen * self._step >= _WARM:
            quick = fast / sqrt(max(self._level_variance, 1.0))
            lasting = slow / sqrt(max(self._variance, _LEAST_VARIANCE))
            score = max(lasting + _FAST_SHARE * quick, _FAST_ALONE * quick)
        self._mean += gain * slow
        self._variance = (1 - gain) * (self._variance + gain * slow * slow)
        self._level += gain * fast
        self._level_variance = (1 - gain) * (self._level_variance + gain * fast * fast)
        self._usual += gain * (value - self._usual)
        self._hour_seen[hour] += 1
        step = max(self._hour_gain, 1.0 / self._hour_seen[hour])
        self._of_hour[hour] += step * (value - self._of_hour[hour])
        return score


def score(counts: Sequence[int], step: float) -> float:
    """Score of the last of `counts` (oldest first, `step` s each); 0 where there is none.

    Zeros at the beginning are passed over: a new hashtag costs no more than its own time.
    """
    first = next((at for at, count in enumerate(counts) if count), len(counts))
    if first == len(counts):
        return 0.0
    burst = Burst(step)
    burst.skip(first)
    last = 0.0
    for count in counts[first:]:
        last = burst.update(count)
    return last
