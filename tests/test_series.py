"""`streams series`: what comes out for what goes in, and what is refused."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from random import Random

import pytest

from streams.errors import UsageError
from streams.series import COLUMNS, run, series
from streams.spread.forecast import Forecaster

START = datetime(2017, 10, 15, 20, 0, tzinfo=UTC)


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(series(text.splitlines())))


def minutes(counts: list[int], step: float = 60) -> str:
    return "timestamp,count\n" + "".join(
        f"{(START + timedelta(seconds=step * at)).isoformat()},{count}\n"
        for at, count in enumerate(counts)
    )


def forecasts(row: dict[str, str], name: str) -> tuple[str, str, str]:
    return row[f"forecast_{name}_low"], row[f"forecast_{name}"], row[f"forecast_{name}_high"]


def test_columns_are_the_contract() -> None:
    assert ",".join(COLUMNS) == (
        "timestamp,count,velocity,acceleration,doubling_seconds,burst_score,alarm,"
        "forecast_15m,forecast_15m_low,forecast_15m_high,"
        "forecast_1h,forecast_1h_low,forecast_1h_high"
    )
    assert next(series(["0,1", "60,2"])) == ",".join(COLUMNS) + "\n"


def test_motion_is_that_of_one_step() -> None:
    first, second, third = rows(minutes([30, 60, 45]))
    assert (first["count"], first["velocity"]) == ("30", "0.5")
    assert (first["acceleration"], first["doubling_seconds"]) == ("", "")
    assert (second["velocity"], second["doubling_seconds"]) == ("1", "60")
    assert float(second["acceleration"]) == pytest.approx(0.5 / 60)
    assert float(third["acceleration"]) == pytest.approx(-0.25 / 60)
    assert third["doubling_seconds"] == ""


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("2017-10-15T20:00:00Z", "2017-10-15T20:05:00Z"),
        ("2017-10-15 20:00:00", "2017-10-15 20:05:00"),
        ("2017-10-15T22:00:00+02:00", "2017-10-15T20:05:00"),
        ("2017-10-15T20:00:00.250000+00:00", "2017-10-15T20:05:00.250Z"),
        ("1508097600", "1508097900"),
        ("1508097600.5", "1508097900.5"),
    ],
)
@pytest.mark.parametrize("header", ["timestamp,count\n", "timestamp,value\n", "\ufeff", ""])
def test_timestamps_come_in_many_forms_and_leave_as_they_came(
    one: str, two: str, header: str
) -> None:
    first, second = rows(f"{header}{one},300\n{two},600\n")
    assert (first["timestamp"], second["timestamp"]) == (one, two)
    assert (first["velocity"], second["velocity"]) == ("1", "2")


def test_days_have_a_step_of_a_day_and_a_part_of_its_forecast() -> None:
    text = "".join(f"2017-10-{day},86400\n" for day in range(10, 30))
    last = rows(text)[-1]
    assert last["velocity"] == "1"
    assert float(last["forecast_15m"]) == pytest.approx(900, rel=0.05)
    assert float(last["forecast_1h"]) == pytest.approx(3600, rel=0.05)


def test_missing_steps_are_zeros_without_rows() -> None:
    first, second, third, fourth = rows("0,5\n60,6\n240,6\n300,12\n")
    assert second["acceleration"] == format(1 / 3600, ".10g")
    assert third["acceleration"] == format(6 / 3600, ".10g")
    assert third["doubling_seconds"] == ""
    assert fourth["doubling_seconds"] == "60"
    assert first["alarm"] == "0"


def test_a_gap_counts_for_the_forecast() -> None:
    with_rows = rows(minutes([9] * 90 + [0] * 60 + [9] * 30))
    lines = minutes([9] * 90 + [0] * 60 + [9] * 30).splitlines()
    without = list(csv.DictReader(series(lines[:91] + lines[151:])))
    assert without == with_rows[:90] + with_rows[150:]


def test_clocks_may_jitter() -> None:
    dice = Random(1)
    found = rows("".join(f"{60 * at + dice.uniform(-0.4, 0.4):.3f},60\n" for at in range(1, 40)))
    assert {row["velocity"] for row in found} == {"1"}
    assert {row["acceleration"] for row in found[1:]} == {"0"}


def test_one_row_has_no_step() -> None:
    (row,) = rows("timestamp,count\n2017-10-15T20:00:00Z,7\n")
    assert (row["timestamp"], row["count"], row["alarm"]) == ("2017-10-15T20:00:00Z", "7", "0")
    assert {
        value for name, value in row.items() if name not in COLUMNS[:2] and name != "alarm"
    } == {""}


def test_forecasts_begin_after_a_window_and_are_those_of_the_model() -> None:
    dice = Random(3)
    counts = [dice.randrange(5, 25) for _ in range(200)]
    found = rows(minutes(counts))
    for name, horizon in (("15m", 900), ("1h", 3600)):
        forecaster = Forecaster(60, horizon)
        for at, (row, count) in enumerate(zip(found, counts, strict=True), 1):
            forecaster.update(count)
            known = forecaster.forecast()
            assert (known is None) == (at < horizon / 60) == (forecasts(row, name)[0] == "")
            if known is not None:
                assert forecasts(row, name) == tuple(format(value, ".10g") for value in known)


def test_a_burst_is_an_alarm() -> None:
    dice = Random(5)
    found = rows(minutes([dice.randrange(20, 40) for _ in range(2000)] + [900, 1000, 1100]))
    assert found[-1]["alarm"] == "1"
    assert float(found[-1]["burst_score"]) > float(found[1990]["burst_score"])
    assert sum(row["alarm"] == "1" for row in found[:2000]) <= 2


def test_rows_leave_before_the_input_ends() -> None:
    taken = 0

    def endless() -> Iterator[str]:
        nonlocal taken
        while True:
            taken += 1
            yield f"{60 * taken},5\n"

    assert len(list(islice(series(endless()), 500))) == 500
    assert taken <= 600


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no rows"),
        ("timestamp,count\n", "no rows"),
        ("\n\n", "no rows"),
        ("created_at,id\n0,1\n", "line 1: 'created_at' is no timestamp"),
        ("timestamp,count,more\n0,1,2\n", "line 1: 3 columns"),
        ("0\n60\n", "line 1: 1 columns"),
        ("0,1\n60,2\n120\n", "line 3: 1 columns"),
        ("0,1\n60,-2\n", "line 2: '-2' is no count"),
        ("0,1\n60,2.5\n", "line 2: '2.5' is no count"),
        ("0,1\n60,\n", "line 2: '' is no count"),
        ("0,1\n60,nan\n", "line 2: 'nan' is no count"),
        ("0,1\n60,1_000\n", "line 2: '1_000' is no count"),
        ("0,1\n60," + "9" * 5000 + "\n", "line 2: "),
        ("0,1\nyesterday,2\n", "line 2: 'yesterday' is no timestamp"),
        ("0,1\n1508097600000,2\n", "line 2: '1508097600000' is no timestamp"),
        ("timestamp,count\n0,1\n\n60,2\ntimestamp,count\n", "line 5: 'timestamp'"),
        ("0,1\n60,2\n60,2\n", "line 3: 60 is the same timestamp as line 2's"),
        ("0,1\n60,2\n\n30,2\n", "line 4: 30 is older than line 2's"),
        ("0,1\n60,2\n120,3\n125,3\n", "line 4: 5 s after line 3, but the step .* is 60 s"),
        ("0,1\n1,2\n2,3\n1508097600,3\n", "line 4: 1,508,097,598 steps of 1 s after line 3"),
        ('0,1\n"60,2\n', "line 2: "),
    ],
)
def test_what_cannot_be_used_is_refused_by_its_line(text: str, message: str) -> None:
    with pytest.raises(UsageError, match=message) as refused:
        rows(text)
    assert "\n" not in str(refused.value)


def test_run_reads_files_and_says_which_line_is_no_text(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    good.write_bytes(b"timestamp,count\r\n0,1\r\n60,2\r\n")
    bad.write_bytes(b"0,1\n60,\xff\n")
    out = io.StringIO()
    run(str(good), out)
    assert out.getvalue() == "".join(series(["0,1", "60,2"]))
    with pytest.raises(UsageError, match="line 2: not UTF-8"):
        run(str(bad), io.StringIO())
    with pytest.raises(UsageError, match=r"cannot read .*none\.csv"):
        run(str(tmp_path / "none.csv"), io.StringIO())


def test_a_shared_series_goes_through(shared_data: Path) -> None:
    folder = shared_data / "nab" / "series"
    source = folder / "Twitter_volume_UPS.csv"
    out = io.StringIO()
    run(str(source), out)
    with source.open(encoding="utf-8", newline="") as lines:
        came = [(row["timestamp"], row["value"]) for row in csv.DictReader(lines)]
    found = list(csv.DictReader(io.StringIO(out.getvalue())))
    assert [(row["timestamp"], row["count"]) for row in found] == came
    for row in found[12:]:
        low, mid, high = map(float, forecasts(row, "1h"))
        assert 0 <= low <= mid <= high
