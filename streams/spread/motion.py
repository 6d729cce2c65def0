"""How fast something spreads: velocity, acceleration, doubling time."""

from __future__ import annotations

from math import log, log1p
from typing import NamedTuple


class Motion(NamedTuple):
    """How fast something spreads in one window.

    `velocity` in posts per second; `acceleration` in posts per second squared, None where the
    window before is unknown; `doubling_seconds`, None unless rising.
    """

    velocity: float
    acceleration: float | None
    doubling_seconds: float | None


def velocity(count: int, window: float) -> float:
    """v(t) = count(w, t) / w, in posts per second; `window` is w in seconds, above 0.

    The mean rate over the window, not a derivative: a post changes it by 1/w for w seconds.
    Source: the definition of a rate; `rate()` of Prometheus, without its extrapolation.
    """
    return count / window


def acceleration(count: int, before: int, window: float) -> float:
    """a(t) = (v(t) - v(t - w)) / w, in posts per second squared; negative while it slows down.

    `count` is count(w, t) and `before` is count(w, t - w).  Source: first backward difference of v
    over one window.
    """
    return (count - before) / (window * window)


def doubling_seconds(count: int, before: int, window: float) -> float | None:
    """T = w ln 2 / ln(v(t) / v(t - w)), in seconds; None unless v(t) > v(t - w) > 0.

    The time in which velocity doubles if it keeps growing by the same factor a window.  Source:
    exponential growth v(t) = v(0) 2^(t/T), solved for T (as used of epidemics).
    """
    if not 0 < before < count:
        return None
    return window * log(2) / log1p((count - before) / before)  # log(1 + x): exact for small growth


def motion(count: int, before: int | None, window: float) -> Motion:
    """All three from count(w, t) and count(w, t - w); `before` is None where that is not known."""
    if before is None:
        return Motion(velocity(count, window), None, None)
    return Motion(
        velocity(count, window),
        acceleration(count, before, window),
        doubling_seconds(count, before, window),
    )
