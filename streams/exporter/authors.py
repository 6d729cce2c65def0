"""Unique authors of many subjects and all windows, from the HyperLogLogs of minutes and hours."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from streams.keys import GenerationKeys
from streams.spread import new_author_ratio
from streams.store.commands import Command, mget
from streams.store.hll import Registers
from streams.store.reads import Reader
from streams.store.subjects import Subject
from streams.windows import HOUR, MINUTE, WINDOWS, edge

ALL_TIME: Final = "total"
_MINUTES: Final = [window for window in WINDOWS.values() if window.dimension_step == MINUTE]
_HOURS: Final = [window for window in WINDOWS.values() if window.dimension_step == HOUR]


#: Hours before the last full one in which an author of today may have posted: hours are kept 25 h.
_BEFORE: Final = 23


class Authors(NamedTuple):
    """Estimated distinct authors by window (and `total`: of all time).

    `new_ratio`: share of the authors since the beginning of the last full hour who had not posted
    in the 23 hours before it; None where there are none.
    """

    windows: Mapping[str, int]
    new_ratio: float | None


NOBODY: Final = Authors({}, None)


async def unique_authors(
    reader: Reader, subjects: Sequence[Subject], watermark: float
) -> dict[Subject, Authors]:
    """Distinct authors at `watermark` (s).

    Windows end at a whole minute, that of 24h at a whole hour.  A window without any author known
    is left out: other hashtags than the campaigns' have authors only from 100 posts an hour.
    """
    minute, hour = edge(watermark, MINUTE), edge(watermark, HOUR)
    longest = max(window.seconds for window in _MINUTES)
    periods = [
        *((MINUTE, minute - back) for back in range(MINUTE, longest + 1, MINUTE)),
        *((HOUR, hour - back) for back in range(0, _HOURS[-1].seconds + 1, HOUR)),
        (0, 0),
    ]

    def ask(_: str, keys: GenerationKeys) -> list[Command]:
        return [
            mget(keys.authors(step, start, subject.key) for step, start in periods)
            for subject in subjects
        ]

    found: dict[Subject, dict[tuple[int, int], list[bytes]]] = {subject: {} for subject in subjects}
    for answer in await reader.read(ask):
        for replies in answer.replies:
            for subject, values in zip(subjects, replies, strict=True):
                for period, value in zip(periods, values, strict=True):
                    if value is not None:
                        found[subject].setdefault(period, []).append(value)
    counted: dict[Subject, Authors] = {}
    for subject, values in found.items():
        # In a thread: some milliseconds for a large subject, and scrapes must not wait for them.
        counted[subject] = await asyncio.to_thread(_count, values, minute, hour)
    return counted


def _count(values: Mapping[tuple[int, int], list[bytes]], minute: int, hour: int) -> Authors:
    """Windows from the newest period back: each is united once for all windows that hold it."""
    counts: dict[str, int] = {}
    for step, until, windows in ((MINUTE, minute, _MINUTES), (HOUR, hour, _HOURS)):
        union, start, known = Registers(), until, False
        for window in windows:
            while start > until - window.seconds:
                start -= step
                for value in values.get((step, start), ()):
                    union.add(value)
                    known = True
            if known:
                counts[window.name] = union.count()
    if (0, 0) in values:
        union = Registers()
        for value in values[0, 0]:
            union.add(value)
        counts[ALL_TIME] = union.count()
    return Authors(counts, _new_ratio(values, hour))


def _new_ratio(values: Mapping[tuple[int, int], list[bytes]], hour: int) -> float | None:
    def add(union: Registers, starts: Iterable[int]) -> int:
        """Distinct authors of the union with these hours."""
        for start in starts:
            for value in values.get((HOUR, start), ()):
                union.add(value)
        return union.count()

    now = (hour, hour - HOUR)
    union = Registers()
    before = add(union, (hour - back * HOUR for back in range(2, _BEFORE + 2)))
    return new_author_ratio(before, add(union, now), add(Registers(), now))
