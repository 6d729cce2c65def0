"""Replies to amplifiers' calls: each partition counts its own, and who reads joins them.

On a real Redis, with the call in one partition and its replies in another.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
import pytest

from streams.keys import US, GenerationKeys
from streams.store import replies
from streams.store.forgetting import forget
from streams.store.replies import call_replies
from tests.filled import Filled
from tests.protocol.fakes import START_MS, FakeRecord, post, record
from tests.store.installation import LATE, Installation, X, delete

Make = Callable[..., Installation]

T = START_MS // 1000
HOUR = 3600
CALL = (
    "If all the women who have been sexually harassed or assaulted wrote 'Me too' as a status, "
    "we might give people a sense of the magnitude of the problem"
)


def line(
    offset: int,
    number: int,
    text: str,
    *,
    to: int | None = None,
    kind: str = "replied_to",
    followers: int = 10,
    at: int | None = None,
) -> FakeRecord:
    """A post by number (its second and its uid), that answers `to`; `at` is in s."""
    document = orjson.loads(post(number, text, at=None if at is None else at * 1000))
    data = document["data"]
    if to is not None:
        parent = X.format(to).removeprefix("x:")
        data["referenced_tweets"] = [{"type": kind, "id": parent}]
        data["conversation_id"] = parent
    user = {"id": data["author_id"], "username": "someone"}
    user["public_metrics"] = {"followers_count": followers}
    document["includes"] = {"users": [user]}
    return record(offset, orjson.dumps(document), at=LATE if at is None else max(LATE, at * 1000))


def keys(it: Installation, partition: int) -> GenerationKeys:
    return it.layout.partition("posts.raw", partition).gen(0)


async def counted(it: Installation, partition: int, hour: int) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = await it.redis.hgetall(keys(it, partition).replies(hour))
    return found


@pytest.fixture
async def it(make: Make) -> Installation:
    """Post 1 is the call of a large account, post 2 that of a small one, post 3 a large account's
    testimony; in the other partition each is answered."""
    it = make()
    it.logs[0].records = [
        line(0, 1, CALL, followers=250_000),
        line(1, 2, CALL),
        line(2, 3, "It happened to me at work. #MeToo", followers=300_000),
        line(3, 4, CALL, to=1, kind="retweeted", followers=400_000),
    ]
    it.logs[1].records = [
        line(0, 11, "#MeToo", to=1),
        line(1, 12, "I believe you all #MeToo", to=1),
        line(2, 13, "Good morning", to=1),  # belongs to no campaign
        line(3, 14, "#MeToo", to=1, kind="quoted"),
        line(4, 15, "#MeToo", to=2),
        line(5, 16, "#MeToo", to=3),
        line(6, 17, "#MeToo", to=1, at=T + HOUR + 1),
    ]
    await it.count(0, limit=2)
    await it.count(1, limit=3)
    return it


async def test_a_call_and_its_replies_are_in_different_partitions(it: Installation) -> None:
    assert await call_replies(it.reader, T + HOUR + 60) == {"metoo": {X.format(1): 3}}
    # Each partition holds what its own posts say, and no more.
    hour = T // HOUR
    first, second, third = (f"metoo{US}{X.format(n)}".encode() for n in (1, 2, 3))
    assert await counted(it, 1, hour) == {first: b"2", second: b"1", third: b"1"}
    assert await counted(it, 1, hour + 1) == {first: b"1"}
    assert await counted(it, 0, hour) == {}
    assert await it.redis.hgetall(keys(it, 0).calls(hour)) == {first: b"250000"}
    assert await it.redis.hlen(keys(it, 0).amplified(hour)) == 3


async def test_the_last_24_hours_count(it: Installation) -> None:
    """The hour of the time that is asked for, and the 23 before it."""
    for hours, found in ((23, 3), (24, 1), (25, 0)):
        expected = {"metoo": {X.format(1): found}} if found else {}
        assert await call_replies(it.reader, T + hours * HOUR) == expected


async def test_a_batch_that_comes_again_counts_once(it: Installation) -> None:
    """After a rebalance, from a worker that does not know, and the same records once more."""
    before = await it.redis.hgetall(keys(it, 1).replies(T // HOUR))
    await it.count(1)
    again = it.logs[1].records[:3]
    it.logs[1].records += [
        FakeRecord(7 + n, one.timestamp, one.key, one.value) for n, one in enumerate(again)
    ]
    await it.count(1)
    assert await counted(it, 1, T // HOUR) == before


async def test_the_watermark_takes_them_away(it: Installation) -> None:
    """Replies 25 h after their hour, calls 49 h after theirs."""
    hour = T // HOUR
    end = (hour + 1) * HOUR
    for partition, offset, hours, key in (
        (1, 7, 25, keys(it, 1).replies(hour)),
        (0, 4, 49, keys(it, 0).calls(hour)),
    ):
        log = it.logs[partition].records
        log.append(line(offset, 20, "Good morning", at=end + hours * HOUR))
        await it.count(partition)
        assert await it.redis.exists(key)
        log.append(line(offset + 1, 21, "Good morning", at=end + hours * HOUR + 1))
        await it.count(partition)
        assert not await it.redis.exists(key)
    assert await counted(it, 1, hour + 1)


async def test_replies_of_generations_are_added_up(it: Installation) -> None:
    partition = it.layout.partition("posts.raw", 1)
    await it.redis.hset(partition.state, "gen", 1)
    await it.redis.hset(partition.gen(1).replies(T // HOUR), f"metoo{US}{X.format(1)}", 5)
    assert await call_replies(it.reader, T + HOUR + 60) == {"metoo": {X.format(1): 8}}


async def test_a_call_that_was_taken_back_is_not_shown(it: Installation) -> None:
    it.logs[0].records.append(delete(4, 1))
    await it.count(0)
    assert await call_replies(it.reader, T + HOUR + 60) == {}


async def test_nothing_is_left_of_a_call_that_is_forgotten(it: Installation) -> None:
    await it.redis.hset(it.layout.campaigns, "metoo", "{}")
    found = await forget(it.redis, it.layout, uid=X.format(1))
    assert found.notes == 1
    own = f"metoo{US}{X.format(1)}".encode()
    hour = T // HOUR
    for partition in (0, 1):
        held = keys(it, partition)
        for key in (held.calls(hour), held.amplified(hour), held.replies(hour)):
            assert own not in await it.redis.hkeys(key)
        assert not await it.redis.exists(held.replies(hour + 1))
    assert await call_replies(it.reader, T + HOUR + 60) == {}


async def test_the_loudest_calls_are_asked_for(
    it: Installation, filled: Filled, monkeypatch: Any
) -> None:
    monkeypatch.setattr(replies, "MOST_CALLS", 1)
    key = keys(it, 1).calls(T // HOUR)
    await it.redis.hset(key, f"metoo{US}{X.format(2)}", 200_000)
    assert await call_replies(it.reader, T + 60) == {"metoo": {X.format(1): 2}}
    await it.redis.hset(key, f"metoo{US}{X.format(2)}", 900_000)
    assert await call_replies(it.reader, T + 60) == {"metoo": {X.format(2): 1}}


async def test_where_nothing_was_counted(make: Make) -> None:
    assert await call_replies(make().reader, T) == {}
