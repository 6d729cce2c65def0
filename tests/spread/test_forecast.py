from __future__ import annotations

import math
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.spread.forecast import Forecaster, crossing_seconds, forecast, reaching_seconds
from tests.evaluation.forecast import by_bucket, by_minute, score, simulated

DAY = 86_400.0
HORIZONS = (900, 3600)


def poisson(mean: float, dice: Random) -> int:
    """Knuth's way: the product of uniform numbers until it falls below e^-mean."""
    count, product, least = -1, 1.0, math.exp(-mean)
    while product > least:
        product *= dice.random()
        count += 1
    return count


def steady(mean: float, length: int, seed: int = 1) -> list[int]:
    dice = Random(seed)
    return [poisson(mean, dice) for _ in range(length)]


def growing(doubling: float, length: int, last: float) -> list[int]:
    """Minutes whose rate doubles every `doubling` minutes and ends at `last` posts a minute."""
    return [round(last * 2 ** ((at - length) / doubling)) for at in range(length)]


@pytest.mark.parametrize("horizon", HORIZONS)
def test_nothing_is_said_before_a_window_is_full(horizon: int) -> None:
    full = horizon // 60
    assert forecast([], 60, horizon) is None
    assert forecast([0] * 500, 60, horizon) is None
    assert forecast([5] * (full - 1), 60, horizon) is None
    assert forecast([5] * full, 60, horizon) is not None


def test_one_day_is_too_little_for_the_next() -> None:
    assert forecast([5000], DAY, DAY) is None
    assert forecast([5000, 5100], DAY, DAY) is not None


@pytest.mark.parametrize("horizon", HORIZONS)
def test_minutes_before_the_first_post_change_nothing(horizon: int) -> None:
    counts = steady(8, 240)
    assert forecast([0] * 600 + counts, 60, horizon) == forecast(counts, 60, horizon)


@given(
    counts=st.lists(st.integers(0, 5) | st.integers(0, 10**15), max_size=80),
    step=st.sampled_from([1.0, 60.0, 300.0, 900.0, DAY]),
    horizon=st.sampled_from([60.0, 900.0, 3600.0, DAY]),
)
def test_a_forecast_is_ordered_and_finite(counts: list[int], step: float, horizon: float) -> None:
    found = forecast(counts, step, horizon)
    if found is not None:
        assert 0 <= found.low <= found.mid <= found.high < math.inf


def test_a_long_silence_keeps_it_finite_and_small() -> None:
    found = forecast([3] * 60 + [0] * 1380, 60, 3600)
    assert found is not None
    assert found.mid < 1
    assert found.high < 20


@pytest.mark.parametrize("horizon", HORIZONS)
@pytest.mark.parametrize("mean", [0.3, 5, 100])
def test_of_a_steady_rate_more_of_the_same_is_expected(mean: float, horizon: int) -> None:
    found = forecast(steady(mean, 1440), 60, horizon)
    assert found is not None
    assert found.mid == pytest.approx(mean * horizon / 60, rel=0.35)
    assert found.low < mean * horizon / 60 < found.high


@pytest.mark.parametrize("mean", [2, 20])
def test_eight_of_ten_steady_windows_lie_in_the_interval(mean: float) -> None:
    scored = score(list(by_bucket(steady(mean, 4000, seed=2), 60, 900)))
    assert 0.75 < scored.cover < 0.9
    assert scored.error < 1


@pytest.mark.parametrize("horizon", HORIZONS)
def test_growth_and_decline_go_on(horizon: int) -> None:
    length = horizon // 60
    up = growing(60, 600, 3000)
    down = up[:300:-1]
    risen, fallen = forecast(up, 60, horizon), forecast(down, 60, horizon)
    assert risen is not None
    assert fallen is not None
    assert risen.mid > 1.05 * sum(up[-length:])
    assert fallen.mid < 0.95 * sum(down[-length:])


def test_a_horizon_shorter_than_the_step_is_a_part_of_it() -> None:
    days = steady(500, 20)
    whole, part = forecast(days, DAY, DAY), Forecaster(DAY, 3600)
    for count in days:
        part.update(count)
    found = part.forecast()
    assert whole is not None
    assert found is not None
    assert [24 * value for value in found] == pytest.approx(list(whole), rel=0.1)


def test_steps_are_taken_together_from_the_newest_backwards() -> None:
    counts = steady(6, 601)
    forecaster = Forecaster(180, 900)
    for start in range(1, 601, 3):
        forecaster.update(sum(counts[start : start + 3]))
    assert forecast(counts, 60, 900) == forecaster.forecast()


def test_errors_widen_the_interval() -> None:
    dice = Random(4)
    calm = steady(20, 900)
    wild = [poisson(20 * math.exp(dice.gauss(0, 1)), dice) for _ in range(60)]
    wild = [count for count in wild for _ in range(15)]
    quiet, rough = forecast(calm, 60, 900), forecast(wild, 60, 900)
    assert quiet is not None
    assert rough is not None
    assert math.log(rough.high / rough.low) > 2 * math.log(quiet.high / quiet.low)


@pytest.mark.parametrize("horizon", HORIZONS)
def test_the_simulated_day_is_forecast(horizon: int) -> None:
    scored = score(list(by_minute(simulated(50_000, seed=3), horizon)))
    assert 0.65 < scored.cover < 0.9
    assert scored.error < 1
    assert scored.growing < 1


def test_a_velocity_that_is_there_is_crossed_now() -> None:
    assert crossing_seconds([60] * 30, 60, 1.0, 300, DAY) == 0.0
    assert crossing_seconds([0] * 30 + [300], 60, 1.0, 300, DAY) == 0.0


def test_a_steady_rate_crosses_nothing() -> None:
    assert crossing_seconds([60] * 600, 60, 2.0, 300, DAY) is None
    assert crossing_seconds([], 60, 2.0, 300, DAY) is None
    assert crossing_seconds([0] * 600, 60, 2.0, 300, DAY) is None


def test_a_growing_rate_crosses_nearer_levels_sooner() -> None:
    counts = growing(60, 600, 600)
    now = sum(counts[-5:]) / 300
    found = [crossing_seconds(counts, 60, factor * now, 300, DAY) for factor in (1.05, 1.1, 1.2)]
    near, middle, far = found
    assert near is not None
    assert middle is not None
    assert far is not None
    assert 0 < near <= middle <= far < 6 * 3600
    assert crossing_seconds(counts, 60, 1.2 * now, 300, far - 120) is None
    assert crossing_seconds(counts, 60, 1000 * now, 300, DAY) is None


def test_posts_are_reached_at_the_rate_that_is_expected() -> None:
    counts = [60] * 1440
    assert reaching_seconds(counts, 60, 0, DAY) == 0.0
    assert reaching_seconds(counts, 60, -5, DAY) == 0.0
    assert reaching_seconds(counts, 60, 30, DAY) == pytest.approx(30, rel=0.02)
    assert reaching_seconds(counts, 60, 7200, DAY) == pytest.approx(7200, rel=0.02)
    assert reaching_seconds(counts, 60, 7200, 3600) is None


def test_without_posts_nothing_is_reached() -> None:
    assert reaching_seconds([], 60, 1, DAY) is None
    assert reaching_seconds([0] * 100, 60, 1, DAY) is None


@given(
    counts=st.lists(st.integers(0, 3) | st.integers(0, 10**12), max_size=60),
    posts=st.integers(1, 10**9),
    velocity=st.floats(1e-3, 1e6),
)
def test_times_lie_within_the_limit(counts: list[int], posts: int, velocity: float) -> None:
    limit = 2 * 3600.0
    for seconds in (
        reaching_seconds(counts, 60, posts, limit),
        crossing_seconds(counts, 60, velocity, 300, limit),
    ):
        assert seconds is None or 0 <= seconds <= limit
