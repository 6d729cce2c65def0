"""Events in a real Redis: each once, however many exporters find them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from streams.events import Event, Guard, Watched
from streams.keys import US
from streams.store.events import EventStore, amplified
from streams.store.reads import Reader
from tests.filled import Filled

T = 1_508_100_000


@pytest.fixture
def store(reader: Reader, filled: Filled) -> EventStore:
    return EventStore(reader._redis, filled.layout)


def crossed(minute: int) -> Event:
    return Event("metoo", "threshold", "page", minute * 1000, {"velocity": 11.5})


FIRST = Event("metoo", "platform", "bluesky", T * 1000, {})


async def test_written_once_and_read_in_order(store: EventStore) -> None:
    watched = Watched(T + 60, {"page": Guard(armed=False)})
    assert await store.write("metoo", "", watched, [crossed(T + 60), FIRST]) == 2
    found, stored = await store.watched("metoo")
    assert found == watched
    later = Watched(T + 120, {"page": Guard(False, T + 120)})
    assert await store.write("metoo", stored, later, [crossed(T + 60), FIRST]) == 0
    assert (await store.watched("metoo"))[0] == later
    events = await store.after("0-0", 10)
    assert [event.document["id"] for event in events] == [FIRST.id, crossed(T + 60).id]
    assert events[1].document["detail"] == {"velocity": 11.5}
    assert [event.cursor for event in await store.newest(1)] == [events[1].cursor]
    assert await store.after(events[0].cursor, 10) == events[1:]
    assert await store.counts() == {("metoo", "threshold"): 1, ("metoo", "platform"): 1}


async def test_what_comes_once_does_not_come_at_another_time(store: EventStore) -> None:
    assert await store.write("metoo", "", Watched(T), [FIRST]) == 1
    _, stored = await store.watched("metoo")
    earlier = FIRST._replace(at=(T - 3600) * 1000)
    assert await store.write("metoo", stored, Watched(T + 60), [earlier]) == 0


async def test_two_exporters_at_once(store: EventStore) -> None:
    """Both find a crossing, in different minutes: the second to write finds the state moved."""
    writes = [
        store.write("metoo", "", Watched(T + n * 60), [crossed(T + n * 60)]) for n in range(1, 9)
    ]
    results = await asyncio.gather(*writes)
    assert sorted(results, key=str) == [1, *[None] * 7]
    assert len(await store.newest(100)) == 1


async def test_milestones_that_were_reached(store: EventStore) -> None:
    event = Event("metoo", "milestone", "1000", T * 1000, {"posts": 1000})
    await store.write("metoo", "", Watched(T), [event, FIRST])
    assert await store.reached() == {("metoo", "1000"): T * 1000}


async def test_old_keys_are_forgotten(store: EventStore, filled: Filled) -> None:
    await store.write("metoo", "", Watched(T), [crossed(T)])
    _, stored = await store.watched("metoo")
    await store.write("metoo", stored, Watched(T + 4 * 86_400), [])
    redis: Any = filled.redis
    assert redis.zcard(filled.layout.events.recent) == 0
    assert len(await store.newest(10)) == 1


async def test_amplifiers_posts(reader: Reader, filled: Filled) -> None:
    for number in (0, 1):
        filled.partition(number, watermark=T)
        keys = filled.layout.partition(filled.topic, number).gen(0)
        filled.redis.hset(
            keys.amplified(T // 3600),
            f"metoo{US}x:{number}",
            f"{T * 1000 + number}{US}250000{US}repost",
        )
    hour = T // 3600
    found = await amplified(reader, range(hour - 1, hour + 1))
    assert [(event.name, event.at) for event in found] == [("x:0", T * 1000), ("x:1", T * 1000 + 1)]
    assert found[0].detail == {"followers": 250_000, "kind": "repost"}
    assert await amplified(reader, [hour - 5]) == []
