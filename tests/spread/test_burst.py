"""The burst score: what it finds, and what it leaves alone."""

from __future__ import annotations

import random
from math import isfinite

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.spread.burst import ALARM, Burst, score

MINUTE, DAY = 60, 1440


def poisson(dice: random.Random, mean: float) -> int:
    """By its normal approximation above 50."""
    if mean > 50:
        return max(0, round(dice.gauss(mean, mean**0.5)))
    n, at = 0, dice.expovariate(1)
    while at < mean:
        n += 1
        at += dice.expovariate(1)
    return n


def test_a_new_hashtag() -> None:
    assert score([0] * (DAY - 1) + [40], MINUTE) >= ALARM
    assert score([0] * (DAY - 1) + [5], MINUTE) < ALARM / 2


@pytest.mark.parametrize("mean", [0.02, 0.5, 5, 60, 2000])
def test_noise_is_no_burst(mean: float) -> None:
    dice = random.Random(3)
    burst = Burst(MINUTE)
    scores = [burst.update(poisson(dice, mean)) for _ in range(2 * DAY)]
    assert sum(one >= ALARM for one in scores) <= 1


@pytest.mark.parametrize("mean", [0.5, 5, 60, 2000])
def test_ten_times_as_much_is_a_burst_within_minutes(mean: float) -> None:
    dice = random.Random(4)
    counts = [poisson(dice, mean) for _ in range(DAY)]
    burst = Burst(MINUTE)
    for count in counts:
        burst.update(count)
    scores = [burst.update(poisson(dice, 10 * mean + 5)) for _ in range(60)]
    assert max(scores) >= ALARM
    assert score([*counts, *[0]], MINUTE) < ALARM


def test_what_lasts_is_found_though_no_bucket_is_out_of_the_ordinary() -> None:
    """Twice as many an hour on end, in five-minute buckets that vary by half."""
    dice = random.Random(5)
    burst = Burst(300)
    for _ in range(7 * 288):
        burst.update(round(100 * dice.uniform(0.5, 1.5)))
    assert max(burst.update(round(200 * dice.uniform(0.5, 1.5))) for _ in range(48)) >= ALARM


def test_a_day_like_the_days_before_is_none() -> None:
    burst = Burst(300)
    shape = [20 + 80 * (6 <= n // 12 < 22) for n in range(288)]
    for _ in range(6):
        for count in shape:
            burst.update(count)
    assert max(burst.update(count) for count in shape) < ALARM


def test_a_burst_that_builds_up_does_not_hide_itself() -> None:
    """Half as much again every half hour: none of it is part of what is usual."""
    dice = random.Random(6)
    counts = [poisson(dice, 20) for _ in range(DAY)]
    counts += [poisson(dice, 20 * 1.5 ** (minute // 30)) for minute in range(180)]
    assert (
        max(score(counts[until - DAY : until], MINUTE) for until in range(DAY, DAY + 180)) > ALARM
    )


def test_what_burst_before_must_do_more() -> None:
    calm = [50] * (6 * 288)
    restless = [2000 if n % 288 == 100 else 50 for n in range(6 * 288)]
    assert score([*calm, 2000], 300) >= ALARM > score([*restless, 2000], 300)


def test_a_day_of_history_is_trusted_less_than_a_week() -> None:
    dice = random.Random(7)
    counts = [poisson(dice, 50) for _ in range(7 * 288)]
    assert 0 < score([*counts[-288:], 200], 300) < score([*counts, 200], 300)


def test_all_at_once_is_the_same_as_one_by_one() -> None:
    dice = random.Random(8)
    counts = [poisson(dice, 5) for _ in range(3 * DAY)]
    burst = Burst(MINUTE)
    scores = [burst.update(count) for count in counts]
    for until in (1, 61, 700, 2001, 3 * DAY):
        assert score(counts[:until], MINUTE) == scores[until - 1]


@pytest.mark.parametrize("step", [0, -60, float("nan")])
def test_a_bucket_lasts(step: float) -> None:
    with pytest.raises(ValueError, match="bucket"):
        Burst(step)


def test_nothing_and_the_beginning() -> None:
    assert score([], MINUTE) == 0
    assert score([0] * DAY, MINUTE) == 0
    assert score([1000] * 5, MINUTE) == 0  # too little is known
    assert score([7], MINUTE) == 0


@given(st.lists(st.integers(0, 10**6), max_size=400), st.sampled_from([60, 300, 3600, 86_400]))
def test_always_finite_and_zeros_may_be_passed_over(counts: list[int], step: int) -> None:
    burst = Burst(step)
    scores = [burst.update(count) for count in counts]
    assert all(map(isfinite, scores))
    if counts and any(counts):
        assert score(counts, step) == pytest.approx(scores[-1], abs=1e-6)
