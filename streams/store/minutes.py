"""Counts by minute, kept between reads: what bursts, forecasts and events are found in."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Sequence
from typing import Final, TypeVar

from streams.keys import GenerationKeys
from streams.store.commands import Command, add, hmgets
from streams.store.reads import Reader
from streams.store.states import Progress
from streams.store.subjects import Subject
from streams.windows import HOUR, MINUTE, edge

T = TypeVar("T")

#: Minutes of a subject's series, by kind: buckets of campaigns are kept 49 h, others 25 h.
LENGTHS: Final = {"c": 48 * 60, "h": 24 * 60}
# So many minutes before what was counted since are read again, for posts out of order; and of the
# rest a share each time, so that a post that came later still is seen after so many reads.
_AGAIN: Final = 10
_SHARE: Final = 30
# One transaction holds up a partition's worker: it asks for so many counts at most (some ms).
_NAMES_AT_ONCE: Final = 200
_BUCKETS_AT_ONCE: Final = 120


class Minutes:
    """Series of posts by minute for chosen subjects.  Not for use by several tasks at once."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._until = 0
        self._series: dict[Subject, array[int]] = {}
        self._changes = _Changes(reader, MINUTE)

    async def read(self, until: int, subjects: Collection[Subject]) -> None:
        """Have the series of these, and of no others, up to `until` (s, a whole minute)."""
        moved = (until - self._until) // MINUTE
        kept = self._series if moved >= 0 else {}
        self._series, self._until = {}, 0  # whatever fails on the way is read anew
        changed = await self._changes.look()
        wanted = sorted(set(subjects))
        series: dict[Subject, array[int]] = {}
        for kind, length in LENGTHS.items():
            of_kind = [subject for subject in wanted if subject.kind == kind]
            old = [subject for subject in of_kind if subject in kept]
            new = [subject for subject in of_kind if subject not in kept]
            for subject in old:
                head = kept[subject][moved:]
                series[subject] = head + _zeros(length - len(head))
            for subject in new:
                series[subject] = _zeros(length)
            starts = range(until - length * MINUTE, until, MINUTE)
            unseen = until - moved * MINUTE
            again = [start for start in starts if start >= unseen or changed(start)]
            for subject in old:
                for start in again:
                    series[subject][length - (until - start) // MINUTE] = 0
            await self._fill(series, old, until, again)
            await self._fill(series, new, until, starts)
        self._series, self._until = series, until

    async def _fill(
        self,
        series: dict[Subject, array[int]],
        subjects: Sequence[Subject],
        until: int,
        starts: Sequence[int],
    ) -> None:
        """Read these minutes of subjects of one kind into their series, where they are 0."""
        async for start, subject, n in _counts(self._reader, subjects, MINUTE, starts):
            of = series[subject]
            of[len(of) - (until - start) // MINUTE] = n

    def series(self, subject: Subject) -> array[int]:
        """Posts by minute, oldest first, up to `until`; as long as `LENGTHS` says."""
        return self._series[subject]


async def coarse_series(
    reader: Reader, until: int, subjects: Sequence[Subject]
) -> dict[Subject, list[int]]:
    """A day by minute up to `until` (s) for any number of hashtags: of what is older than the last
    full hour, hours spread evenly over their minutes.

    1,440 minutes of a thousand hashtags are a million look-ups a partition; this is a twelfth.
    """
    hour = edge(until, HOUR) - HOUR
    first = until - LENGTHS["h"] * MINUTE
    series = {subject: [0] * LENGTHS["h"] for subject in subjects}
    hours = range(edge(first, HOUR), hour, HOUR)
    async for start, subject, n in _counts(reader, subjects, HOUR, hours):
        of = series[subject]
        for minute in range(60):
            at = (start - first) // MINUTE + minute
            if at >= 0:
                of[at] = n * (minute + 1) // 60 - n * minute // 60
    minutes = range(hour, until, MINUTE)
    async for start, subject, n in _counts(reader, subjects, MINUTE, minutes):
        series[subject][(start - first) // MINUTE] = n
    return series


async def _counts(
    reader: Reader, subjects: Sequence[Subject], step: int, starts: Sequence[int]
) -> AsyncIterator[tuple[int, Subject, int]]:
    """Start, subject and posts of all buckets with posts, of all partitions together.

    The subjects are all campaigns or all hashtags."""
    for names in _parts(subjects, _NAMES_AT_ONCE):
        fields = [subject.field for subject in names]
        for part in _parts(starts, _BUCKETS_AT_ONCE):

            def ask(
                _: str,
                keys: GenerationKeys,
                part: Sequence[int] = part,
                kind: Subject = names[0],
                fields: Sequence[str] = fields,
            ) -> list[Command]:
                buckets = [kind.bucket(keys, step, start) for start in part]
                return [hmgets(buckets, fields)]

            totals = [[0] * len(names) for _ in part]
            for answer in await reader.read(ask):
                for (replies,) in answer.replies:
                    for total, values in zip(totals, replies, strict=True):
                        for at, value in enumerate(values):
                            if value is not None:
                                total[at] += int(value)
            for start, total in zip(part, totals, strict=True):
                for subject, n in zip(names, total, strict=True):
                    if n:
                        yield start, subject, n


def _zeros(length: int) -> array[int]:
    return array("L", bytes(array("L").itemsize * length))


def _parts(whole: Sequence[T], most: int) -> Iterator[Sequence[T]]:
    for first in range(0, len(whole), most):
        yield whole[first : first + most]


class Fields:
    """All dimensions of all campaigns over the newest buckets of one step, added up."""

    def __init__(self, reader: Reader, step: int, count: int) -> None:
        """`count` buckets of `step` seconds (60 or 3600)."""
        self._reader = reader
        self._step = step
        self._count = count
        self._known: dict[int, Counter[str]] = {}
        self._changes = _Changes(reader, step)

    async def read(self, until: int) -> Counter[str]:
        """campaign US dimension US value -> posts in the buckets that end at `until` (s)."""
        step = self._step
        known, self._known = self._known, {}  # whatever fails on the way is read anew
        changed = await self._changes.look()
        wanted = range(until - self._count * step, until, step)
        asked = [start for start in wanted if start not in known or changed(start)]

        def ask(_: str, keys: GenerationKeys) -> list[Command]:
            return [("hgetall", keys.campaign_bucket(step, start)) for start in asked]

        found: dict[int, Counter[str]] = {start: Counter() for start in asked}
        for answer in await self._reader.read(ask):
            for replies in answer.replies:
                for start, fields in zip(asked, replies, strict=True):
                    add(found[start], fields)
        self._known = {start: found[start] if start in found else known[start] for start in wanted}
        total: Counter[str] = Counter()
        for counts in self._known.values():
            total.update(counts)
        return total


class _Changes:
    """Which buckets of one step may have changed since the last look."""

    def __init__(self, reader: Reader, step: int) -> None:
        self._reader = reader
        self._step = step
        self._progress = Progress()
        self._turn = 0

    async def look(self) -> Callable[[int], bool]:
        """Whether the bucket that starts then (s) has to be read again."""
        since = self._progress.since(await self._reader.states()) - _AGAIN * MINUTE
        self._turn += 1
        turn, step = self._turn, self._step

        def changed(start: int) -> bool:
            return start + step > since or (start // step - turn) % _SHARE == 0

        return changed
