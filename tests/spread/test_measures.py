"""How a campaign spreads, beside how fast."""

from __future__ import annotations

import random
from math import log2

import pytest

from streams.spread import (
    GENERATION_BOUNDS,
    amplification,
    arrivals,
    entropy_bits,
    generation_bound,
    new_author_ratio,
    reproduction,
)


def test_amplification() -> None:
    assert amplification({"original": 8, "reply": 1, "quote": 1, "repost": 25}) == 2.5
    assert amplification({"original": 3}) == 0
    assert amplification({"repost": 3}) is None
    assert amplification({}) is None


def test_new_authors() -> None:
    assert new_author_ratio(before=100, together=130, authors=60) == 0.5
    assert new_author_ratio(before=0, together=60, authors=60) == 1
    assert new_author_ratio(before=1003, together=1000, authors=60) == 0  # estimates err
    assert new_author_ratio(before=10, together=200, authors=60) == 1
    assert new_author_ratio(before=0, together=0, authors=0) is None


def test_entropy() -> None:
    assert entropy_bits([7]) == 0
    assert entropy_bits([5, 5, 5, 5]) == 2
    assert entropy_bits([3, 1, 0]) == pytest.approx(-0.75 * log2(0.75) - 0.25 * log2(0.25))
    assert entropy_bits([]) is None
    assert entropy_bits([0]) is None
    assert str(entropy_bits([9])) == "0.0"


def test_classes_of_generation_intervals() -> None:
    assert [generation_bound(s) for s in (-5, 0, 60, 60.1, 86_400, 86_401)] == [
        *(60, 60, 60, 300, 86_400),
        None,
    ]
    assert list(GENERATION_BOUNDS) == sorted(GENERATION_BOUNDS)


def test_reproduction_of_a_steady_campaign() -> None:
    delays = {60: 10, 300: 20, 900: 10, 3600: 10, 86_400: 1}
    steady = reproduction(50 * 60, [100] * 1500, delays, 3600)
    assert steady == pytest.approx(0.5)


@pytest.mark.parametrize("r", [0.6, 1.1])
def test_reproduction_of_a_branching_process(r: float) -> None:
    """Posts by themselves, each with R children on average after exponential delays."""
    dice = random.Random(7)
    length = 8 * 3600.0
    waiting = [dice.uniform(0, length) for _ in range(1500)]
    posts: list[float] = []
    children: list[tuple[float, float]] = []  # when, and after how long
    while waiting:
        at = waiting.pop()
        posts.append(at)
        for _ in range(_poisson(dice, r)):
            delay = dice.expovariate(1 / 900)
            if at + delay < length:
                waiting.append(at + delay)
                children.append((at + delay, delay))
    minutes = [0] * int(length // 60)
    for at in posts:
        minutes[int(at // 60)] += 1
    delays: dict[int, int] = {}
    for _, delay in children:
        bound = generation_bound(delay)
        assert bound is not None
        delays[bound] = delays.get(bound, 0) + 1
    window = 2 * 3600
    recent = sum(at >= length - window for at, _ in children)
    assert reproduction(recent, minutes, delays, window) == pytest.approx(r, rel=0.12)


def test_reproduction_without_anything_to_go_by() -> None:
    assert reproduction(0, [], {}, 3600) is None
    assert reproduction(3, [0] * 60, {60: 3}, 3600) is None
    assert reproduction(0, [10] * 100, {60: 3}, 3600) == 0
    assert reproduction(10, [10] * 5, {60: 3, 900: 1}, 3600) is not None  # shorter than the window


def _poisson(dice: random.Random, mean: float) -> int:
    n, at = 0, dice.expovariate(1)
    while at < mean:
        n += 1
        at += dice.expovariate(1)
    return n


def test_arrivals() -> None:
    assert arrivals({"x": 100.0, "bluesky": 160.5}) == {"x": 0, "bluesky": 60.5}
    assert arrivals({}) == {}
