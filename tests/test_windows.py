from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.errors import UsageError
from streams.windows import WINDOWS, Window, edge, window

T = 1_508_099_999


def test_all_windows_of_the_contract() -> None:
    assert [(w.name, w.seconds) for w in WINDOWS.values()] == [
        ("1m", 60),
        ("5m", 300),
        ("15m", 900),
        ("1h", 3600),
        ("24h", 86400),
    ]


@pytest.mark.parametrize("name", ["", "2m", "1H", "24 h"])
def test_another_window_is_a_usage_error(name: str) -> None:
    with pytest.raises(UsageError, match="1m, 5m, 15m, 1h, 24h"):
        window(name)


def test_until_is_the_edge_of_the_bucket_used() -> None:
    assert WINDOWS["1m"].until(T + 0.9) == 1_508_099_990
    assert WINDOWS["1h"].until(T) == 1_508_099_940
    assert WINDOWS["24h"].until(T) == 1_508_097_600
    assert WINDOWS["5m"].by_dimension().until(T) == 1_508_099_940


@given(st.sampled_from(list(WINDOWS.values())), st.integers(0, 2**40))
def test_buckets_tile_the_window(chosen: Window, watermark: int) -> None:
    until = chosen.until(watermark)
    assert until <= watermark < until + chosen.step
    starts = list(chosen.starts(until))
    assert starts[0] == until - chosen.seconds
    assert starts[-1] == until - chosen.step
    assert all(start % chosen.step == 0 for start in starts)


def test_minutes_are_taken_where_a_partition_may_have_dropped_ten_seconds() -> None:
    chosen = WINDOWS["15m"]
    assert chosen.safe(T, T).step == 10
    assert chosen.safe(T, T + 1700).step == 10
    assert chosen.safe(T, T + 1900).step == 60
    assert WINDOWS["1h"].safe(T, T + 80_000) == WINDOWS["1h"]


def test_edge() -> None:
    assert edge(119.9, 60) == 60
    assert edge(120, 60) == 120
    assert edge(-1, 60) == -60
