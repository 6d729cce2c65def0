"""How long to wait before the next attempt."""

from __future__ import annotations

import random
from typing import Final, NamedTuple

from streams.ingest.live.source import Kind


class Range(NamedTuple):
    """First and longest wait, s; doubled from one to the next."""

    first: float
    most: float


# https://docs.x.com/x-api/fundamentals/handling-disconnections, the strictest of the platforms:
# networks from 250 ms to 16 s, HTTP errors from 5 s to 320 s, a 429 from a minute.
RANGES: Final[dict[Kind, Range]] = {
    "network": Range(0.25, 16.0),
    "silent": Range(0.25, 16.0),
    "end": Range(0.25, 16.0),
    "http": Range(5.0, 320.0),
    "rate": Range(60.0, 900.0),
}
_LONGEST: Final = 3600.0  # s: whatever a server asks for, an hour later it is asked again


class Backoff:
    """Attempts since the last success, and what they cost.

    Jitter is half of the wait: many processes that were cut at once do not come back at once, and
    none comes at once.
    """

    def __init__(self, ranges: dict[Kind, Range] | None = None) -> None:
        self._ranges = RANGES if ranges is None else ranges
        self._attempts = 0

    def succeeded(self) -> None:
        self._attempts = 0

    def wait(self, kind: Kind, retry_after: float | None = None) -> float:
        """Seconds until the next attempt; never less than the platform asks for."""
        first, most = self._ranges[kind]
        longest = min(most, first * 2.0 ** min(self._attempts, 32))
        self._attempts += 1
        wait = longest * (0.5 + random.random() / 2)  # noqa: S311 - jitter is no secret
        if retry_after is None:
            return wait
        return min(_LONGEST, retry_after + longest * random.random() / 10)  # noqa: S311 - as above
