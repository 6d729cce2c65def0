"""Burst score: how far the posts of the last minutes or hours exceed what was usual.

For a window w, C_w(t) is the number of posts in the w seconds that end with bucket t, m_w its
exponentially weighted mean until t - w, and s_w its usual deviation until then:

    s_w^4 = max(E_w, n + 3 n^2) / 3                     n = max(m_w, least)
    score = max over w of  sqrt(h) * (C_w(t) - m_w) / s_w / (longest / w)^exponent

- What is usual ends where the window begins: a burst that builds up does not hide itself.
- E_w is the exponentially weighted mean of (C_w - m_w)^4.  For normal noise E_w = 3 sd^4, so s_w is
  a standard deviation.  The fourth power, not the second, because counts of posts have heavy tails:
  what bursts every few days must do more to be news.
- n + 3 n^2 is the fourth central moment of a Poisson variable with mean n: the floor, so that a
  quiet series that was lucky, or a new one, is no more certain than chance allows.
- Short windows see many more chances to exceed than the longest; the last factor asks more of them.
- h, at most 1, is the history seen as a share of the memory: a series known for a day has shown few
  of its own bursts, and its usual deviation is too low by an amount that nobody knows.

The score has no unit (standard deviations of the longest window); it is below 0 where there are
fewer posts than usual.

Source: the updates are those of T. Finch, Incremental calculation of weighted mean and variance,
2009, with the fourth power; the moments are textbook; their use and the numbers in `Parameters`
were chosen on labelled series of mentions, `python -m tests.evaluation.bursts`.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from math import exp, sqrt
from typing import Final, NamedTuple

#: A bucket with this score or a higher one is an alarm.
ALARM: Final[float] = 2.75

#: Seconds between two looks at what is usual, where buckets are shorter: windows of five minutes
#: and more change little in a minute, and a day of minutes costs a fifth.
_LOOK: Final = 300.0
#: Seconds over which a window was looked at before it is judged at all.
_LEAST_HISTORY: Final = 3600.0


class Parameters(NamedTuple):
    """What the score is made with.

    `windows` and `memory` in seconds (`memory`: time constant of the weights); `exponent` of the
    factor for short windows; `least`: posts in a window, the mean below which the floor stays.
    """

    windows: tuple[float, ...] = (300.0, 3600.0, 14_400.0)
    memory: float = 7 * 86_400.0
    exponent: float = 0.25
    least: float = 10.0


class Burst:
    """The score of a series, bucket by bucket.

    `step` is the length of a bucket in seconds, above 0 (ValueError).  A window shorter than `step`
    is one bucket.
    """

    def __init__(self, step: float, parameters: Parameters | None = None) -> None:
        if not step > 0:
            raise ValueError(f"a bucket must last longer than {step} s")
        chosen = parameters or Parameters()
        lengths = sorted({max(1, round(window / step)) for window in chosen.windows})
        self._every = max(1, round(_LOOK / step))
        look = self._every * step
        self._usual = [
            _Usual(
                length,
                (lengths[-1] / length) ** chosen.exponent,
                1 - exp(-look / chosen.memory),
                _LEAST_HISTORY / look,
                chosen.least,
            )
            for length in lengths
        ]
        self._longest = lengths[-1]
        self._buckets = 0
        #: Posts of all time before and after each of the last buckets: a window is a difference.
        self._totals = [0]

    def update(self, count: int) -> float:
        """The score of the next bucket, finite; 0.0 on too little history (about an hour)."""
        totals = self._totals
        now = totals[-1] + count
        scores = [
            score
            for usual in self._usual
            if usual.length <= len(totals)
            and (score := usual.score(now - totals[-usual.length])) is not None
        ]
        self.learn((count,))
        return max(scores, default=0.0)

    def learn(self, counts: Sequence[int]) -> None:
        """The same as `update` of each, cheaper, where nobody asks for the scores."""
        totals = self._totals
        before = self._buckets - len(totals) + 1  # buckets that are older than `totals`
        next_look = self._buckets // self._every * self._every + self._every
        self._buckets += len(counts)
        totals.extend(accumulate(counts, initial=totals.pop()))
        looks = range(next_look - before, self._buckets - before + 1, self._every)
        for usual in self._usual:
            length = usual.length
            usual.learn(
                [totals[i - length] - totals[i - 2 * length] for i in looks if i >= 2 * length]
            )
        if len(totals) > 4 * self._longest:
            del totals[: -2 * self._longest - 1]


class _Usual:
    """What is usual for the count of one window: mean and fourth moment, exponentially weighted."""

    __slots__ = ("_factor", "_gain", "_least", "_looks", "_mean", "_moment", "_needed", "length")

    def __init__(
        self, length: int, factor: float, gain: float, needed: float, least: float
    ) -> None:
        self.length = length
        self._factor, self._gain, self._needed, self._least = factor, gain, needed, least
        self._looks = 0
        self._mean = self._moment = 0.0

    def learn(self, counts: Sequence[int]) -> None:
        mean, moment = self._mean, self._moment
        for looks, count in enumerate(counts, self._looks + 1):
            # The first looks weigh the same: an average until the memory is full.
            gain = max(self._gain, 1 / looks)
            off = count - mean
            mean += gain * off
            square = off * off
            moment = (1 - gain) * (moment + gain * square * square)
        self._looks += len(counts)
        self._mean, self._moment = mean, moment

    def score(self, count: int) -> float | None:
        """The score of this window; None on too little history."""
        if self._looks < self._needed:
            return None
        mean = max(self._mean, self._least)
        deviation = sqrt(sqrt(max(self._moment, mean + 3 * mean * mean) / 3))
        history = min(1.0, self._gain * self._looks)
        return sqrt(history) * (count - self._mean) / deviation / self._factor


def score(counts: Sequence[int], step: float) -> float:
    """Score of the last of `counts`, buckets of `step` seconds, oldest first; 0.0 without any."""
    if not counts:
        return 0.0
    burst = Burst(step)
    burst.learn(counts[:-1])
    return burst.update(counts[-1])
