from __future__ import annotations

from streams.store.states import PartitionState, times

NOW = 1_700_000_000.0


def state(watermark: int | None, offset: int | None = 5, end: int | None = 5) -> PartitionState:
    return PartitionState("t:0", 0, offset, watermark, end)


def test_nothing_counted_has_no_time() -> None:
    assert times([], "live", NOW) is None
    assert times([state(None)], "live", NOW) is None


def test_all_drained_is_now_or_the_newest_post() -> None:
    states = [state(1000), state(3000)]
    assert times(states, "live", NOW) == (NOW, 3.0)
    assert times(states, "replay", NOW) == (3.0, 3.0)


def test_a_partition_that_is_behind_holds_the_whole_back() -> None:
    states = [state(1000), state(2000, end=6), state(3000, end=9), state(None, offset=None)]
    assert times(states, "live", NOW) == (2.0, 3.0)
    assert times(states, "replay", NOW) == (2.0, 3.0)


def test_an_unknown_end_is_not_drained() -> None:
    assert times([state(1000, end=None), state(5000)], "live", NOW) == (1.0, 5.0)


def test_an_empty_partition_is_drained() -> None:
    assert state(None, offset=None, end=0).drained
    assert not state(None, offset=None, end=1).drained
