"""How many batches of a partition are on their way."""

from __future__ import annotations

from streams.ahead import Ahead

HERE, THERE = ("posts.raw", 0), ("posts.raw", 1)
SMALL, LARGE = 499, 500


def test_who_keeps_up_has_one_batch_at_a_time() -> None:
    ahead = Ahead(2)
    assert ahead.given(HERE, 1, SMALL)
    assert ahead.finished(HERE, 1)
    assert ahead.given(HERE, 1, SMALL)


def test_who_is_behind_has_some_more() -> None:
    ahead = Ahead(2)
    assert [ahead.given(HERE, 1, LARGE) for _ in range(3)] == [False, False, True]
    assert ahead.finished(HERE, 1)
    assert ahead.given(HERE, 1, SMALL)  # it has caught up: what it has is enough
    assert [ahead.finished(HERE, 1) for _ in range(3)] == [False, False, True]


def test_none_may_wait() -> None:
    assert Ahead(0).given(HERE, 1, LARGE)


def test_partitions_have_nothing_to_do_with_each_other() -> None:
    ahead = Ahead(1)
    assert ahead.given(HERE, 1, SMALL)
    assert not ahead.given(THERE, 1, LARGE)


def test_what_was_given_before_a_seek_is_nothing_to_wait_for() -> None:
    ahead = Ahead(1)
    assert not ahead.given(HERE, 1, LARGE)
    assert ahead.given(HERE, 1, LARGE)
    ahead.forget(HERE)
    assert not ahead.given(HERE, 2, LARGE)
    assert not ahead.finished(HERE, 1)  # of before
    assert ahead.given(HERE, 2, LARGE)


def test_an_epoch_that_nobody_announced() -> None:
    ahead = Ahead(0)
    assert ahead.given(HERE, 1, SMALL)
    assert ahead.given(HERE, 2, SMALL)
    assert ahead.finished(HERE, 2)
    assert not ahead.finished(THERE, 1)
