"""Series by minute, kept between reads, from a real Redis."""

from __future__ import annotations

import pytest

from streams.keys import US
from streams.store.minutes import LENGTHS, Fields, Minutes, coarse_series
from streams.store.reads import Reader
from streams.store.subjects import campaign, hashtag
from tests.filled import Filled

T = 1_508_158_800  # a whole hour
METOO, FRENCH = campaign("metoo"), f"metoo{US}lang{US}fr"


@pytest.fixture
def minutes(reader: Reader) -> Minutes:
    return Minutes(reader)


async def test_series_of_all_partitions(minutes: Minutes, filled: Filled) -> None:
    for number in (0, 1):
        filled.partition(number, watermark=T)
        filled.tag(number, "metoo", T - 1, 3 + number, other=False)
        filled.tag(number, "metoo", T, 100)  # after the end
        filled.campaign(number, T - 61, 5)
    filled.tag(0, "metoo", T - 86_400, 2)
    filled.tag(0, "metoo", T - 86_401, 50)  # before the beginning
    await minutes.read(T, [hashtag("metoo"), campaign("metoo"), hashtag("never")])
    series = minutes.series(hashtag("metoo"))
    assert len(series) == LENGTHS["h"]
    assert (series[-1], series[0], sum(series)) == (7, 2, 9)
    assert list(minutes.series(campaign("metoo"))[-3:]) == [0, 10, 0]
    assert sum(minutes.series(hashtag("never"))) == 0


async def test_time_goes_on(minutes: Minutes, filled: Filled) -> None:
    tags = [hashtag(f"t{n}") for n in range(450)]  # more than are asked for at once
    filled.partition(0, watermark=T)
    for n, tag in enumerate(tags):
        filled.tag(0, tag.name, T - 30, n + 1)
    await minutes.read(T, tags)
    assert [minutes.series(tag)[-1] for tag in tags] == list(range(1, 451))
    filled.partition(0, watermark=T + 150, offset=20)
    filled.tag(0, "t0", T - 200, 4)  # out of order
    filled.tag(0, "t0", T + 150, 9)
    await minutes.read(T + 180, [*tags[:2], hashtag("new")])
    assert list(minutes.series(tags[0])[-7:]) == [4, 0, 0, 1, 0, 0, 9]
    assert list(minutes.series(tags[1])[-4:]) == [2, 0, 0, 0]
    with pytest.raises(KeyError):
        minutes.series(tags[2])
    await minutes.read(T + 30 * 3600, tags[:1])
    assert sum(minutes.series(tags[0])) == 0
    await minutes.read(T, tags[:1])  # time went back
    assert list(minutes.series(tags[0])[-4:]) == [4, 0, 0, 1]


async def test_a_coarse_day(reader: Reader, filled: Filled) -> None:
    end = T + 600
    filled.partition(0, watermark=T)
    filled.tag(0, "new", T + 599, 40)
    filled.tag(0, "old", T - 3600, 7)
    filled.tag(0, "old", T - 3601, 90)
    filled.tag(0, "old", T - 86_400, 60)  # its hour begins before the series
    found = await coarse_series(reader, end, [hashtag("new"), hashtag("old")])
    new, old = found[hashtag("new")], found[hashtag("old")]
    assert (len(new), new[-1], sum(new)) == (1440, 40, 40)
    assert old[-70] == 7
    assert sum(old[-130:-70]) == 90
    assert max(old[-130:-70]) == 2
    assert sum(old[:-130]) == 50


async def test_fields_by_dimension(reader: Reader, filled: Filled) -> None:
    fields = Fields(reader, 60, 60)
    filled.partition(0, watermark=T)
    filled.partition(1, watermark=T)
    filled.campaign(0, T - 3600, 1, lang="fr")
    filled.campaign(1, T - 1, 2, lang="fr")
    filled.campaign(1, T - 3601, 4, lang="fr")
    filled.campaign(1, T, 8, lang="fr")
    assert (await fields.read(T))[FRENCH] == 3
    assert (await fields.read(T + 60))[FRENCH] == 10
    filled.partition(0, watermark=T, offset=20)
    filled.campaign(0, T - 100, 16, lang="fr")  # out of order
    assert (await fields.read(T + 120))[FRENCH] == 26
    assert (await fields.read(T))[FRENCH] == 19


async def test_a_partition_that_is_behind_still_counts(
    reader: Reader, minutes: Minutes, filled: Filled
) -> None:
    """What the others closed long ago is not known for good."""
    day, hour = Fields(reader, 3600, 24), Fields(reader, 60, 60)
    filled.partition(0, watermark=T, offset=5)
    filled.partition(1, watermark=T - 3000, offset=5)
    filled.campaign(0, T - 2000, 1, lang="fr")
    for _ in range(2):
        await minutes.read(T, [METOO])
        assert (await hour.read(T))[FRENCH] == (await day.read(T))[FRENCH] == 1
    filled.partition(1, watermark=T - 1500, offset=6)
    filled.campaign(1, T - 2000, 2, lang="fr")
    assert (await hour.read(T))[FRENCH] == (await day.read(T))[FRENCH] == 3
    await minutes.read(T, [METOO])
    assert minutes.series(METOO)[-34] == 3


async def test_a_post_long_out_of_order_is_seen_in_time(
    reader: Reader, minutes: Minutes, filled: Filled
) -> None:
    day, hour = Fields(reader, 3600, 24), Fields(reader, 60, 60)
    filled.partition(0, watermark=T, offset=5)
    await minutes.read(T, [METOO])
    assert (await hour.read(T))[FRENCH] == (await day.read(T))[FRENCH] == 0
    filled.partition(0, watermark=T, offset=6)
    filled.campaign(0, T - 3000, 2, lang="fr")
    for _ in range(30):
        await minutes.read(T, [METOO])
        found = (await hour.read(T))[FRENCH], (await day.read(T))[FRENCH]
    assert found == (2, 2)
    assert minutes.series(METOO)[-50] == 2


async def test_what_was_counted_again_is_read_again(
    reader: Reader, minutes: Minutes, filled: Filled
) -> None:
    hour = Fields(reader, 60, 60)
    filled.partition(0, watermark=T)
    filled.campaign(0, T - 3000, 2, lang="fr")
    await minutes.read(T, [METOO])
    assert (await hour.read(T))[FRENCH] == 2
    keys = filled.layout.partition(filled.topic, 0)
    filled.redis.delete(*(keys.gen(0).campaign_bucket(step, T - 3000) for step in (60, 3600)))
    filled.redis.hset(keys.state, "recounts", 1)
    await minutes.read(T, [METOO])
    assert ((await hour.read(T))[FRENCH], sum(minutes.series(METOO))) == (0, 0)
