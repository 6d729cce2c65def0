"""What happens to a campaign and is worth telling once.  Pure: event time, no clock.

A threshold crossed, a milestone reached, the first post on a platform, in a language or from a
country, a post of an amplifier.  Every exporter finds the same events, because each follows from
the counters alone; the store writes each once (`streams.store.events`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal, NamedTuple, TypeAlias

Kind: TypeAlias = Literal["threshold", "milestone", "platform", "language", "country", "amplifier"]
KINDS: Final[tuple[Kind, ...]] = (
    *("threshold", "milestone", "platform", "language", "country", "amplifier"),
)
#: Kinds that come once in a campaign's life, whenever they are found.
ONCE: Final = frozenset({"milestone", "platform", "language", "country"})

#: The window that velocity thresholds are compared with, in seconds.
THRESHOLD_WINDOW: Final = 300
# A threshold that was crossed is armed again after so many seconds below this share of it, so that
# a velocity that swings around it is one crossing.
_REARM_SECONDS: Final = 300
_REARM_SHARE: Final = 0.8
_MINUTE: Final = 60

_DIMENSIONS: Final[Mapping[str, Kind]] = {
    "platform": "platform",
    "lang": "language",
    "country": "country",
}


class Event(NamedTuple):
    """`at` is ms of event time; `detail` holds numbers and short texts, never an author."""

    campaign: str
    kind: Kind
    name: str  # severity, number of posts, platform, language, country, or uid
    at: int
    detail: Mapping[str, float | str]

    @property
    def id(self) -> str:
        """campaign:kind:name:bucket; the bucket is the start of its minute, in seconds."""
        return f"{self.campaign}:{self.kind}:{self.name}:{self.at // 1000 // _MINUTE * _MINUTE}"

    @property
    def key(self) -> str:
        """What makes it the same event: its id, or for what comes once the id without bucket."""
        return self.id.rpartition(":")[0] if self.kind in ONCE else self.id


class Guard(NamedTuple):
    """Whether a threshold is armed, and since when (s) velocity has been low while it is not."""

    armed: bool = True
    low_since: int | None = None


class Watched(NamedTuple):
    """Thresholds of a campaign by severity, as of the end of a minute (s; None: never)."""

    minute: int | None = None
    guards: Mapping[str, Guard] = {}


def crossings(
    campaign: str,
    thresholds: Mapping[str, float],
    watched: Watched,
    velocities: Iterable[tuple[int, float]],
) -> tuple[Watched, list[Event]]:
    """Follow the velocity (posts/s) at the ends (s) of minutes, in order; older ones are skipped.

    An event is made where an armed threshold is reached.  It is armed again once velocity has been
    below 80 % of it for 5 minutes.
    """
    guards = {name: watched.guards.get(name, Guard()) for name in thresholds}
    minute = watched.minute
    events: list[Event] = []
    for end, velocity in velocities:
        if minute is not None and end <= minute:
            continue
        minute = end
        for severity, threshold in thresholds.items():
            armed, low_since = guards[severity]
            if velocity >= threshold:
                if armed:
                    detail = {"velocity": velocity, "threshold": threshold}
                    events.append(Event(campaign, "threshold", severity, end * 1000, detail))
                guards[severity] = Guard(armed=False)
            elif not armed:
                if velocity >= _REARM_SHARE * threshold:
                    guards[severity] = Guard(armed=False)
                else:
                    since = end if low_since is None else low_since
                    guards[severity] = (
                        Guard() if end - since >= _REARM_SECONDS else Guard(False, since)
                    )
    return Watched(minute, guards), events


def milestones(
    campaign: str, wanted: Iterable[int], total: int, minutes: Sequence[int], until: int
) -> list[Event]:
    """Milestones that a campaign's `total` has reached.

    When: the end of the minute in which the total passed it, counted back through `minutes` (posts
    by minute, oldest first, ending at `until`, s); for what is older, the series' beginning.
    """
    events = []
    for posts in sorted(wanted):
        if posts > total:
            break
        after, end = total, until
        for n in reversed(minutes):
            after -= n  # posts before this minute
            if after < posts:
                break
            end -= _MINUTE
        events.append(Event(campaign, "milestone", str(posts), end * 1000, {"posts": posts}))
    return events


def arrivals(campaign: str, first: Mapping[tuple[str, str], int]) -> list[Event]:
    """First posts by dimension and value (ms): on a platform, in a language, from a country."""
    start = min(first.values(), default=0)
    return [
        Event(campaign, kind, value, at, {"seconds_after_start": (at - start) / 1000})
        for (dimension, value), at in sorted(first.items(), key=lambda item: item[1])
        if (kind := _DIMENSIONS.get(dimension)) is not None and value != "und"
    ]
