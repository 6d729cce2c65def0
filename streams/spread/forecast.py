"""How many posts to expect, how sure that is, and when a rate or a number will be reached.

The model, for a horizon of h seconds.  With n = count(h, t), the last window, and m the posts
expected in the next one:

    log(m + 1) = log(n + 1) + b1 growth + b2 log((long + 1) / (n + 1))

`growth` is how much the logarithm of the rate grew within the last window: the newest quarter of
the window against its mean, over the distance of their middles.  b1 = 3/8 is the rate of the newest
quarter, 1 a straight line on; it begins near 0 and goes no further than 1, for most growth does not
last (damped trend: Gardner and McKenzie, Forecasting trends in time series, 1985).  `long` is what
is usual: an exponentially weighted mean, in posts per h.  b1 and b2 are learnt from the series' own
past windows, by least squares that forget (Young, Recursive Estimation and Time-Series Analysis,
2011) and that are drawn towards `_PRIOR`.

The interval is conformal: an error is measured in units of

    spread = sqrt(1 / (m + 1) + dispersion + _UNSTEADY growth^2)

(the logarithm of a negative binomial count, and more while the rate changes; of growth^2 only what
is more than its own weighted mean).  `dispersion` follows the size of the errors, and each bound is
moved until a tenth of what came has passed it (Gibbs and Candes, Adaptive conformal inference under
distribution shift, 2021).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from math import exp, log, sqrt
from typing import Final, NamedTuple

_PRIOR: Final = (0.05, 0.2)
_TRUST: Final = 6.0  # weight of the prior; a window's is feature^2 / spread^2
_MEMORY: Final = 12.0  # windows that b1 and b2 are learnt from
_USUAL: Final = 24.0  # windows that `long` and the usual growth^2 are the means of
_MOST_B1: Final = 1.0
_MOST_GROWTH: Final = 1.5  # of the logarithm, in one window
_MOST_CHANGE: Final = log(4.0)  # more than so many times the last window is not expected

_UNSTEADY: Final = 0.2
_DISPERSION: Final = 0.012  # at the start, for _NEAR; it grows with the root of the horizon
_FOLLOW: Final = 4.0  # windows in which the dispersion follows the errors
_MEAN_ERROR: Final = 0.8  # of a standard normal: sqrt(2 / pi)
_BOUND: Final = 1.28  # at the start: 10 % of a normal are above
_PACE: Final = 0.1  # how far a bound moves in a window that passes it
_LEAST_BOUND, _MOST_BOUND = 0.1, 10.0
_TENTH: Final = 0.1

_NEAR: Final = 900.0  # s, horizons from which the path is drawn: this ...
_FAR: Final = 4  # ... and so many of it
_PARTS: Final = 5  # a horizon has so many steps or more


class Forecast(NamedTuple):
    """Posts in (t, t + horizon]: from `low` to `high` with a chance of 80 %; finite, 0 or more."""

    low: float
    mid: float
    high: float


class _Origin(NamedTuple):
    """A forecast that was made.  `last` and `mid` are logarithms of posts + 1."""

    last: float
    growth: float
    usual: float  # log((long + 1) / (n + 1))
    mid: float
    spread: float


class Forecaster:
    """Forecasts of one series at one horizon, bucket by bucket, in constant memory and time.

    `step` and `horizon` in seconds, above 0.  A horizon that is no whole number of steps, or
    shorter than one, is taken as the nearest that is, and its forecast scaled.
    """

    def __init__(self, step: float, horizon: float) -> None:
        length = max(1, round(horizon / step))
        self._length = length
        self._scale = horizon / (length * step)
        self._quarter = max(1, round(length / 4))
        # Of the middles of window and quarter, in windows; with one step, of two windows.
        self._distance = (length - self._quarter) / (2 * length) if length > 1 else 1.0
        self._share = 1 / length
        self._counts: deque[int] = deque([0] * (length + 1), length + 1)
        self._window = self._newest = self._seen = 0
        self._long = 0.0
        self._restless = 0.0  # the usual growth^2
        self._made: deque[_Origin] = deque(maxlen=length)
        self._gg = self._gu = self._uu = self._gr = self._ur = 0.0
        self._low = self._high = _BOUND
        self._dispersion = _DISPERSION * sqrt(horizon / _NEAR)

    def update(self, count: int) -> None:
        """The next bucket.  Zeros before the first post say nothing and are passed over."""
        if not self._seen and not count:
            return
        counts, length = self._counts, self._length
        counts.append(count)
        self._window += count - counts[0]
        self._newest += count - counts[-1 - self._quarter]
        self._seen += 1
        gain = max(self._share / _USUAL, 1 / self._seen)
        self._long += gain * (count * length - self._long)
        if self._seen < length:
            return
        last = log(self._window + 1)
        if len(self._made) == length:
            self._learn(self._made[0], last)
        self._made.append(self._next(last))

    def forecast(self) -> Forecast | None:
        """Posts to expect in the horizon from now on; None until a window is full, or two steps."""
        if self._seen < 2 or not self._made:
            return None
        now, scale = self._made[-1], self._scale
        low = exp(now.mid - self._low * now.spread) - 1
        high = exp(now.mid + self._high * now.spread) - 1
        return Forecast(max(0.0, low) * scale, (exp(now.mid) - 1) * scale, high * scale)

    def _next(self, last: float) -> _Origin:
        if self._length > 1:
            growth = log(self._newest * self._length / self._quarter + 1) - last
        else:
            growth = last - log(self._counts[0] + 1) if self._seen > 1 else 0.0
        growth = min(_MOST_GROWTH, max(-_MOST_GROWTH, growth / self._distance))
        usual = log(self._long + 1) - last
        b1, b2 = self._solve()
        change = min(_MOST_CHANGE, max(-_MOST_CHANGE, b1 * growth + b2 * usual))
        mid = max(0.0, last + change)
        unsteady = max(0.0, growth * growth - self._restless)
        self._restless += self._share / _USUAL * (growth * growth - self._restless)
        spread = sqrt(exp(-mid) + self._dispersion + _UNSTEADY * unsteady)
        return _Origin(last, growth, usual, mid, spread)

    def _solve(self) -> tuple[float, float]:
        """b1 and b2, from the normal equations of what the prior leaves over."""
        gg, gu, uu = self._gg + _TRUST, self._gu, self._uu + _TRUST
        b2 = _PRIOR[1] + (gg * self._ur - gu * self._gr) / (gg * uu - gu * gu)
        b2 = min(1.0, max(0.0, b2))
        b1 = _PRIOR[0] + (self._gr - gu * (b2 - _PRIOR[1])) / gg
        return min(_MOST_B1, max(0.0, b1)), b2

    def _learn(self, made: _Origin, came: float) -> None:
        """The window has come for which a forecast was made; `came` is log(posts + 1)."""
        if not came and not made.last:
            return  # silence after silence: nothing to be learnt
        share, error = self._share, came - made.mid
        size = abs(error) / made.spread
        pace = _PACE * share
        above, below = error > self._high * made.spread, error < -self._low * made.spread
        self._high = _bound(self._high + pace * (above - _TENTH))
        self._low = _bound(self._low + pace * (below - _TENTH))
        noise = exp(-made.mid)
        part = self._dispersion / (self._dispersion + noise)
        follow = part * share / _FOLLOW * (min(size, 4.0) - _MEAN_ERROR)
        self._dispersion = min(1.0, max(1e-4, self._dispersion * exp(follow)))

        growth, usual = made.growth, made.usual
        rest = came - made.last - _PRIOR[0] * growth - _PRIOR[1] * usual
        # Windows with few posts, and errors that stand out, count less.
        weight = share / ((noise + self._dispersion) * (1 + size * size / 4))
        kept = 1 - share / _MEMORY
        self._gg = self._gg * kept + weight * growth * growth
        self._gu = self._gu * kept + weight * growth * usual
        self._uu = self._uu * kept + weight * usual * usual
        self._gr = self._gr * kept + weight * growth * rest
        self._ur = self._ur * kept + weight * usual * rest


def forecast(counts: Sequence[int], step: float, horizon: float) -> Forecast | None:
    """From the newest `counts` (oldest first, `step` s each); None with too few of them.

    Too few: less than one horizon since the first post, or a single step.  A day is enough to
    learn from.  For speed, steps are taken together so far as a horizon keeps five or more of them.
    """
    together = _together(round(horizon / step))
    forecaster = Forecaster(step * together, horizon)
    for start in range(len(counts) % together, len(counts), together):
        forecaster.update(sum(counts[start : start + together]))
    return forecaster.forecast()


def crossing_seconds(
    counts: Sequence[int], step: float, velocity: float, window: float, limit: float
) -> float | None:
    """Seconds until the mean velocity over `window` s is expected to reach `velocity` (posts/s).

    0.0 if it already does; None if it is not expected within `limit` s.  `counts`: the newest,
    oldest first, `step` s each.
    """
    length = max(1, round(window / step))
    level = velocity * length * step
    newest = deque[float]([0.0] * length, length)
    newest.extend(counts[-length:])
    total = float(sum(newest))
    if total >= level:
        return 0.0
    seconds = 0.0
    for expected in _path(counts, step, limit):
        rise = expected - newest[0]
        if total + rise >= level:
            return seconds + step * (level - total) / rise
        newest.append(expected)
        total += rise
        seconds += step
    return None


def reaching_seconds(counts: Sequence[int], step: float, posts: int, limit: float) -> float | None:
    """Seconds until `posts` further posts are expected; None if not within `limit` s."""
    if posts <= 0:
        return 0.0
    seconds = total = 0.0
    for expected in _path(counts, step, limit):
        if total + expected >= posts:
            return seconds + step * (posts - total) / expected
        total += expected
        seconds += step
    return None


def _path(counts: Sequence[int], step: float, limit: float) -> Iterator[float]:
    """Posts to expect in each of the coming steps, up to `limit` s: at least 0.

    Through the forecasts of a quarter of an hour and of an hour (of one step and of four, where
    those are longer).  Behind them growth goes on, damped: r(s) = r exp(g d (1 - exp(-s / d))),
    g the growth of the logarithm a second, d an hour (four steps).
    """
    near = max(step, _NEAR)
    far = _FAR * near
    soon, later = (forecast(counts, step, horizon) for horizon in (near, far))
    if soon is None:
        return
    first = soon.mid * step / near
    second = first
    if later is not None:
        second = max(0.0, later.mid - soon.mid) * step / (far - near)
    middle, distance = (near + far) / 2, far / 2
    change = log(second / first) if first > 0 < second else 0.0
    growth = min(_MOST_CHANGE, max(-_MOST_CHANGE, change)) / distance
    for at in range(int(limit / step)):
        seconds = (at + 0.5) * step
        beyond = seconds - middle
        if beyond > 0:
            beyond = far * (1 - exp(-beyond / far))
        yield first if seconds < near else second * exp(growth * beyond)


def _bound(value: float) -> float:
    return min(_MOST_BOUND, max(_LEAST_BOUND, value))


def _together(length: int) -> int:
    """How many steps make one: a divisor of `length` that leaves `_PARTS` or more."""
    return max((n for n in range(1, length // _PARTS + 1) if length % n == 0), default=1)
