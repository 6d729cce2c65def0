"""What is set otherwise than Faust has it."""

from __future__ import annotations

from streams.app import _Restarts


async def test_all_actors_of_a_rebalance_are_started_again_at_once() -> None:
    supervisor = _Restarts(max_restarts=100.0, over=1.0)  # as Faust's agent makes it
    for _ in range(500):
        async with supervisor._bucket:
            pass
