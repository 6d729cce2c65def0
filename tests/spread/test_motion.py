from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams import spread


def test_velocity_is_posts_per_second() -> None:
    assert spread.velocity(120, 60) == 2.0
    assert spread.velocity(0, 60) == 0.0


def test_acceleration_is_the_change_of_velocity_over_one_window() -> None:
    assert spread.acceleration(120, 60, 60) == pytest.approx((2.0 - 1.0) / 60)
    assert spread.acceleration(60, 120, 60) == pytest.approx(-1 / 60)


def test_twice_as_fast_doubles_in_one_window() -> None:
    assert spread.doubling_seconds(200, 100, 300) == pytest.approx(300)
    assert spread.doubling_seconds(400, 100, 300) == pytest.approx(150)


@pytest.mark.parametrize(("count", "before"), [(0, 0), (5, 5), (4, 5), (5, 0), (0, 5)])
def test_nothing_doubles_unless_it_rises_from_something(count: int, before: int) -> None:
    assert spread.doubling_seconds(count, before, 60) is None


@given(st.integers(1, 10**9), st.integers(1, 10**9), st.sampled_from([60, 300, 900, 3600, 86400]))
def test_growth_for_one_doubling_time_doubles(before: int, more: int, window: int) -> None:
    count = before + more
    seconds = spread.doubling_seconds(count, before, window)
    assert seconds is not None
    assert seconds > 0
    growth = math.log1p((count - before) / before) / window
    assert math.isclose(growth * seconds, math.log(2), rel_tol=1e-6)


def test_motion_without_the_window_before() -> None:
    assert spread.motion(60, None, 60) == spread.Motion(1.0, None, None)
    assert spread.motion(120, 60, 60) == spread.Motion(2.0, 1 / 60, 60.0)
