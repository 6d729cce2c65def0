"""Kept posts: written by real commits of a partition, read as people read them."""

from __future__ import annotations

import random
from collections.abc import Callable

import orjson

from streams.keys import US
from tests.protocol.fakes import START_MS, post, record
from tests.store.installation import LATE, Installation, X, delete, said, uids


async def test_newest_first_over_partitions_and_lists(make: Callable[..., Installation]) -> None:
    it = make()
    it.logs[0].records = said((1, "#metoo"), (60, "#balancetonporc #metoo"), (3, "Good morning"))
    it.logs[1].records = said((2, "Me too."), (200, "#MeToo again"), (61, "#balancetonporc"))
    await it.count(0)
    await it.count(1)
    assert await it.read() == uids(200, 61, 60, 2, 1)
    assert await it.read(campaign=None, limit=1) == uids(200, 61, 60, 2, 1)
    assert await it.read(hashtag="metoo") == uids(200, 60, 1)
    assert await it.read(hashtag="balancetonporc") == uids(61, 60)
    assert await it.read(wanted=lambda one: one.via == "phrase") == uids(2)
    assert await it.read(campaign="other") == []


async def test_another_hashtag_is_looked_for_in_the_campaigns(
    make: Callable[..., Installation],
) -> None:
    it = make()
    it.logs[0].records = said((1, "#metoo #news"), (2, "#news"), (3, "#metoo"))
    await it.count(0)
    assert await it.read(hashtag="news") == uids(1)


async def test_what_is_kept_of_a_post(make: Callable[..., Installation]) -> None:
    it = make(text=True)
    it.logs[0].records = said((5, "#MeToo, it happened to me."))
    await it.count(0)
    page = await it.posts.page(
        campaign=None, hashtag=None, wanted=lambda _: True, after=None, limit=5
    )
    [one] = page.posts
    assert (one.created_at, one.uid, one.lang) == (START_MS + 5000, X.format(5), "en")
    assert (one.campaign, one.via, one.kind) == ("metoo", "hashtag", "original")
    assert (one.hashtags, one.text) == (("metoo",), "#MeToo, it happened to me.")
    assert len(one.author) == 32
    assert one.author != "7"


async def test_the_newest_whatever_order_and_batches_they_came_in(
    make: Callable[..., Installation],
) -> None:
    rng = random.Random(1)
    numbers = list(range(400))
    for size in (3, 50, 400):
        it = make(newest=60)
        rng.shuffle(numbers)
        it.logs[0].records = said(*((n, "#metoo" if n % 7 else "Me too.") for n in numbers))
        await it.count(0, size)
        assert await it.read(limit=11) == uids(*range(399, 339, -1))
        expected = [n for n in range(399, -1, -1) if n % 7 == 0][:58]
        # A rare list is not pushed out by a common one.
        keys = it.layout.partition("posts.raw", 0).gen(0)
        found = await it.redis.zrange(keys.kept(f"metoo{US}"), 0, -1)
        assert sum(orjson.loads(part[:-1] + b"]")[0][1] for part in found[1:]) == len(expected)
        # Memory is bounded: an eighth more, and the posts of a minute and a batch.
        common = await it.redis.zscore(keys.kept(f"metoo{US}metoo"), "total")
        assert 60 <= -common <= 60 * 9 / 8 + 60 + size


async def test_only_so_old(make: Callable[..., Installation]) -> None:
    it = make(age_ms=100_000)
    it.logs[0].records = said((0, "#metoo"), (100, "#metoo"), (101, "#metoo"), (150, "Me too."))
    await it.count(0)
    assert await it.read() == uids(150, 101, 100)
    # Of a partition that is behind nothing is shown that is too old for the whole.
    it.logs[1].records = said((2, "#metoo"), (249, "#metoo"))
    await it.count(1)
    assert await it.read() == uids(249, 150)
    it.logs[0].records += [record(10, post(10_000), at=LATE)]
    await it.count(0)
    it.logs[0].records += [record(11, post(10_001), at=LATE)]
    await it.count(0)
    assert await it.read() == []
    keys = it.layout.partition("posts.raw", 0).gen(0)
    assert not await it.redis.exists(keys.kept(f"metoo{US}metoo"))


async def test_a_delete_takes_a_post_away_before_and_after(
    make: Callable[..., Installation],
) -> None:
    it = make()

    it.logs[0].records = [delete(0, 2), *said((9, "x"), *((n, "#metoo") for n in range(1, 5)))[1:]]
    it.logs[0].records.append(delete(5, 3))
    await it.count(0)
    assert await it.read(limit=1) == uids(4, 1)


async def test_paging_neither_skips_nor_repeats_while_posts_arrive(
    make: Callable[..., Installation],
) -> None:
    it = make()
    it.logs[0].records = said(*((n, "#metoo") for n in range(0, 300, 2)))
    await it.count(0)
    first = await it.posts.page(
        campaign=None, hashtag=None, wanted=lambda _: True, after=None, limit=50
    )
    it.logs[1].records = said(*((n, "Me too.") for n in range(301, 500)))
    await it.count(1)
    second = await it.posts.page(
        campaign=None, hashtag=None, wanted=lambda _: True, after=first.after, limit=1000
    )
    assert [one.uid for one in (*first.posts, *second.posts)] == uids(*range(298, -1, -2))


async def test_keeps_nothing_where_nothing_is_wanted(make: Callable[..., Installation]) -> None:
    it = make(newest=0)
    it.logs[0].records = said((1, "#metoo"))
    await it.count(0)
    keys = it.layout.partition("posts.raw", 0).gen(0)
    assert not await it.redis.exists(keys.kept_lists)
