"""The windows that posts are counted in, and the buckets they are added up from.  Pure.

Times are event time in seconds since 1970.  A window that ends at `t` holds the posts of
(t - seconds, t]; because buckets have edges, `t` is rounded down to one, and answers carry it as
`until`.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from streams.errors import UsageError

MINUTE: Final = 60
HOUR: Final = 3600

#: 10 s buckets are kept for so long behind a partition's watermark.
FINE_KEPT: Final = HOUR


class Window(NamedTuple):
    """`seconds` is its length, `step` that of its buckets, `dimension_step` that of the buckets by
    dimension (10 s buckets hold totals only)."""

    name: str
    seconds: int
    step: int
    dimension_step: int

    def until(self, watermark: float) -> int:
        """The end of the newest window that `watermark` (s) closes."""
        return edge(watermark, self.step)

    def starts(self, until: int) -> range:
        """Starts of the buckets of the window that ends at `until`."""
        return range(until - self.seconds, until, self.step)

    def by_dimension(self) -> Window:
        """The same window in buckets that know languages, platforms and so on."""
        return self._replace(step=self.dimension_step)

    def safe(self, watermark: float, newest: float) -> Window:
        """The same window in buckets that are certainly still there.

        Partitions drop 10 s buckets by their own watermark.  Where one is far ahead of the whole's
        `watermark` (`newest`; both s), minutes are taken instead.
        """
        reach = edge(watermark, self.step) - 2 * self.seconds
        return self.by_dimension() if self.step < MINUTE and newest - reach > FINE_KEPT else self


WINDOWS: Final = {
    window.name: window
    for window in (
        Window("1m", MINUTE, 10, MINUTE),
        Window("5m", 5 * MINUTE, 10, MINUTE),
        Window("15m", 15 * MINUTE, 10, MINUTE),
        Window("1h", HOUR, MINUTE, MINUTE),
        Window("24h", 24 * HOUR, HOUR, HOUR),
    )
}

#: Steps of a series, in seconds.
STEPS: Final = {"10s": 10, "1m": MINUTE, "1h": HOUR}


def edge(time: float, step: int) -> int:
    """`time` rounded down to a multiple of `step`; both in seconds."""
    return int(time // step) * step


def window(name: str) -> Window:
    """The window of that name.  Raises `UsageError` for another."""
    try:
        return WINDOWS[name]
    except KeyError:
        raise UsageError(f"no window {name!r}: take one of {', '.join(WINDOWS)}") from None
