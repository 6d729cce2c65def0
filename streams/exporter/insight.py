"""What follows from a campaign's minutes: is it a burst, where does it go, how does it spread."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from streams.events import THRESHOLD_WINDOW
from streams.spread import amplification, entropy_bits, reproduction
from streams.spread.burst import score
from streams.spread.forecast import Forecast, crossing_seconds, forecast, reaching_seconds
from streams.store.documents import campaign_dimensions
from streams.windows import HOUR, MINUTE

HORIZONS: Final = {"15m": 15 * MINUTE, "1h": HOUR}
#: Dimensions of which the velocity of the last hour is published by value.
DIMENSIONS: Final = ("platform", "kind", "via", "stance", "lang", "country")
#: Forecasts of a time look no further, in seconds.
_LIMIT: Final = 24 * HOUR
_DAY_MINUTES: Final = 24 * 60
_ENTROPY_OF: Final = ("lang", "country")


class CampaignInsight(NamedTuple):
    """Ratios and bits are None (or absent) where there is nothing to say.

    `crossing`: severity of the next threshold, and when (s) it is expected to be crossed;
    `milestone`: when (s) the next one is expected; `velocities`: posts/s of the last hour by
    dimension and value.
    """

    burst: float
    forecasts: Mapping[str, Forecast]
    crossing: tuple[str, float] | None
    milestone: float | None
    amplification: float | None
    reproduction: float | None
    entropy: Mapping[str, float]
    velocities: Mapping[str, Mapping[str, float]]


class Insight(NamedTuple):
    """At the end of a full minute, `until` (s).

    `bursts`: scores by hashtag; `reached`: when (ms) by campaign and milestone; `events`: written
    so far by campaign and kind; `memory`: bytes used and limit by node of Redis; `minutes`: posts
    by campaign and minute, oldest first, ending at `until`; `replies` of the last 24 hours by
    campaign and uid of an amplifier's call.
    """

    until: int
    campaigns: Mapping[str, CampaignInsight]
    bursts: Mapping[str, float]
    reached: Mapping[tuple[str, str], int]
    events: Mapping[tuple[str, str], int]
    memory: Mapping[str, tuple[int, int]]
    minutes: Mapping[str, Sequence[int]]
    replies: Mapping[str, Mapping[str, int]]


def campaign_insight(
    minutes: Sequence[int],
    hour: Mapping[str, int],
    day: Mapping[str, int],
    *,
    until: int,
    total: int,
    thresholds: Mapping[str, float],
    milestone: int | None,
) -> CampaignInsight:
    """`minutes`: posts by minute, oldest first, ending at `until` (s); `hour` and `day`: posts of
    the last 60 minutes and 24 hours, by dimension US value; `total` and `milestone` in posts,
    `thresholds` in posts/s by severity."""
    newest = minutes[-_DAY_MINUTES:]
    last_hour = campaign_dimensions(hour)
    kinds = last_hour.get("kind", {})
    children = kinds.get("repost", 0) + kinds.get("reply", 0)
    delays = {int(bound): n for bound, n in campaign_dimensions(day).get("delay", {}).items()}
    expected = {name: forecast(newest, MINUTE, horizon) for name, horizon in HORIZONS.items()}
    velocity = sum(newest[-THRESHOLD_WINDOW // MINUTE :]) / THRESHOLD_WINDOW
    entropies = {name: entropy_bits(last_hour.get(name, {}).values()) for name in _ENTROPY_OF}
    return CampaignInsight(
        burst=score(newest, MINUTE),
        forecasts={name: found for name, found in expected.items() if found is not None},
        crossing=_crossing(newest, until, velocity, thresholds),
        milestone=None if milestone is None else _reaching(newest, until, milestone - total),
        amplification=amplification(kinds),
        reproduction=reproduction(children, minutes, delays, HOUR),
        entropy={name: bits for name, bits in entropies.items() if bits is not None},
        velocities={
            name: {value: n / HOUR for value, n in last_hour.get(name, {}).items()}
            for name in DIMENSIONS
        },
    )


def _crossing(
    minutes: Sequence[int], until: int, velocity: float, thresholds: Mapping[str, float]
) -> tuple[str, float] | None:
    above = [(rate, name) for name, rate in thresholds.items() if rate > velocity]
    if not above:
        return None
    rate, severity = min(above)
    seconds = crossing_seconds(minutes, MINUTE, rate, THRESHOLD_WINDOW, _LIMIT)
    return None if seconds is None else (severity, until + seconds)


def _reaching(minutes: Sequence[int], until: int, posts: int) -> float | None:
    seconds = reaching_seconds(minutes, MINUTE, posts, _LIMIT)
    return None if seconds is None else until + seconds
