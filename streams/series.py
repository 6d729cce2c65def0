"""`streams series`: a series of counts in, the same with how it moves and where it goes out.  CSV.

In: `timestamp,count` (or `timestamp,value`), with or without that header.  Timestamps are ISO 8601
(without a zone: UTC) or seconds since 1970, ascending; counts are whole numbers.  Out: `COLUMNS`,
a row for each row, as soon as it is read.  An empty cell is a value that is not known (yet).

The step of the series is the most common distance of its first rows.  Steps without a row are
zeros for the maths and no rows of the output.  Motion is that of one step, so that `velocity` is
count / step; a forecast whose horizon is shorter than a step is the step's, scaled down.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import chain, islice, pairwise
from typing import Final, NamedTuple, TextIO

from streams.errors import UsageError
from streams.ingest.ndjson import read_chunks
from streams.spread.burst import ALARM, Burst
from streams.spread.forecast import Forecast, Forecaster
from streams.spread.motion import Motion, motion
from streams.windows import HOUR, MINUTE

HORIZONS: Final = {"15m": 15 * MINUTE, "1h": HOUR}
COLUMNS: Final = (
    "timestamp",
    "count",
    "velocity",
    "acceleration",
    "doubling_seconds",
    "burst_score",
    "alarm",
    *(f"forecast_{name}{bound}" for name in HORIZONS for bound in ("", "_low", "_high")),
)

_HEADERS: Final = (["timestamp", "count"], ["timestamp", "value"])
#: Rows that tell the step.  A live pipe shows nothing before so many have come.
_FIRST: Final = 100
_LONGEST_GAP: Final = 100_000  # steps; what is longer is a mistake rather than silence
_SECOND: Final = 1_000_000  # µs
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NUMBER: Final = re.compile(r"[0-9]{1,11}(\.[0-9]*)?", re.ASCII)  # s; 11 digits reach year 5138
_COUNT: Final = re.compile(r"[0-9]{1,15}", re.ASCII)  # exact as a float


class _Row(NamedTuple):
    """`stamp` as it came, `time` in µs since 1970."""

    line: int
    stamp: str
    time: int
    posts: int


class _Maths:
    """All that is told of a bucket from those before it: constant memory."""

    def __init__(self, step: float) -> None:
        self._step = step
        self._before: int | None = None
        self._burst = Burst(step)
        self._forecasters = [Forecaster(step, horizon) for horizon in HORIZONS.values()]

    def update(self, count: int) -> tuple[Motion, float]:
        """Motion and burst score of the next bucket."""
        moved = motion(count, self._before, self._step)
        self._before = count
        for forecaster in self._forecasters:
            forecaster.update(count)
        return moved, self._burst.update(count)

    def forecasts(self) -> list[Forecast | None]:
        """One for each horizon, from the end of the newest bucket."""
        return [forecaster.forecast() for forecaster in self._forecasters]


def series(lines: Iterable[str]) -> Iterator[str]:
    """Lines of CSV (with or without line ends) to lines of CSV, header first, with line ends.

    Raises `UsageError`, which names the line, at the first row that cannot be used; what came
    before it has been given out by then.
    """
    rows = _rows(lines)
    first = list(islice(rows, _FIRST))
    if not first:
        raise UsageError("no rows: expected timestamp,count")
    yield _line(COLUMNS)
    if len(first) == 1:
        row = first[0]
        blanks = [""] * (len(COLUMNS) - 3)
        yield _line([row.stamp, row.posts, *blanks[:4], 0, *blanks[4:]])
        return
    step = _step(first)
    maths = _Maths(step / _SECOND)
    before: _Row | None = None
    for row in chain(first, rows):
        if before is not None:
            for _ in range(_steps(before, row, step) - 1):
                maths.update(0)
        before = row
        moved, score = maths.update(row.posts)
        cells = [cell for found in maths.forecasts() for cell in _cells(found)]
        moving = [_number(value) for value in moved]
        yield _line([row.stamp, row.posts, *moving, _number(score), int(score >= ALARM), *cells])


def run(source: str, sink: TextIO) -> None:
    """From a file (plain, .gz, .zst, or `-` for stdin) to `sink`.  Raises `UsageError`.

    What a pipe brings is answered before the next read.
    """
    for line in series(_decoded(source, sink)):
        sink.write(line)
    sink.flush()


def _decoded(source: str, sink: TextIO) -> Iterator[str]:
    number = 0
    for chunk in read_chunks(source):
        for line in chunk:
            number += 1
            try:
                yield line.decode("utf-8")
            except UnicodeDecodeError:
                raise UsageError(f"line {number}: not UTF-8") from None
        sink.flush()


def _rows(lines: Iterable[str]) -> Iterator[_Row]:
    reader = csv.reader(lines, strict=True)
    before: _Row | None = None
    header = True  # may still come
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise UsageError(f"line {reader.line_num}: {error}") from None
        if cells is None:
            return
        if not cells or cells == [""]:
            continue
        if header:
            header = False
            cells[0] = cells[0].removeprefix("\ufeff")
            if [cell.strip().lower() for cell in cells] in _HEADERS:
                continue
        row = _row(cells, reader.line_num)
        if before is not None and row.time <= before.time:
            how = "the same timestamp as" if row.time == before.time else "older than"
            raise UsageError(f"line {row.line}: {row.stamp} is {how} line {before.line}'s")
        before = row
        yield row


def _row(cells: list[str], line: int) -> _Row:
    if len(cells) != 2:
        raise UsageError(f"line {line}: {len(cells)} columns, expected timestamp,count")
    stamp, count = cells
    time = _microseconds(stamp.strip())
    if time is None:
        what = "neither ISO 8601 nor seconds since 1970"
        raise UsageError(f"line {line}: {stamp!r} is no timestamp ({what})")
    if not _COUNT.fullmatch(count.strip()):
        raise UsageError(f"line {line}: {count!r} is no count (a whole number from 0 on)")
    return _Row(line, stamp, time, int(count))


def _microseconds(stamp: str) -> int | None:
    if _NUMBER.fullmatch(stamp):
        return round(float(stamp) * _SECOND)
    try:
        moment = datetime.fromisoformat(stamp)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - _EPOCH) // timedelta(microseconds=1)


def _step(rows: list[_Row]) -> int:
    """The most common distance in µs, of equally common ones the shortest.

    Distances are rounded to seconds (below 10 s: to ms), so that clocks may jitter.
    """
    distances: Counter[int] = Counter()
    for before, row in pairwise(rows):
        distance = row.time - before.time
        unit = _SECOND if distance >= 10 * _SECOND else 1000
        distances[max(1, round(distance / unit)) * unit] += 1
    return min(distances, key=lambda distance: (-distances[distance], distance))


def _steps(before: _Row, row: _Row, step: int) -> int:
    """Steps from one row to the next: 1 or more."""
    distance = row.time - before.time
    steps = (2 * distance + step) // (2 * step)
    if steps < 1:
        raise UsageError(
            f"line {row.line}: {distance / _SECOND:g} s after line {before.line}, "
            f"but the step of the series is {step / _SECOND:g} s"
        )
    if steps > _LONGEST_GAP:
        raise UsageError(
            f"line {row.line}: {steps:,} steps of {step / _SECOND:g} s after line {before.line}; "
            f"a gap of more than {_LONGEST_GAP:,} is not read"
        )
    return steps


def _cells(found: Forecast | None) -> list[str]:
    """In the order of the columns: mid, low, high."""
    return (
        ["", "", ""] if found is None else [_number(n) for n in (found.mid, found.low, found.high)]
    )


def _number(value: float | None) -> str:
    return "" if value is None else format(value, ".10g")


def _line(cells: Iterable[object]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow(cells)
    return out.getvalue()
