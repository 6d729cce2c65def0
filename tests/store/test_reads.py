from __future__ import annotations

from streams.store.hll import count_union
from streams.store.reads import Reader
from streams.store.subjects import campaign, hashtag
from tests.filled import Filled

T = 1_508_100_000
HOUR = 3600


async def test_an_empty_redis(reader: Reader) -> None:
    assert await reader.states() == []
    totals = await reader.totals()
    assert not totals.outcomes
    assert not totals.hashtags
    assert not totals.campaigns


async def test_partitions_and_generations_are_added_up(reader: Reader, filled: Filled) -> None:
    filled.partition(0, watermark=T)
    filled.partition(1, watermark=T - 5, gen=2)
    for number, gen in ((0, 0), (1, 0), (1, 1), (1, 2)):
        filled.outcome(number, "counted", 3, gen=gen)
        filled.tag(number, "metoo", T, 2, gen=gen, other=False)
        filled.campaign(number, T, 2, gen=gen)
    filled.outcome(1, "counted", 100, gen=3)  # not begun: not counted
    totals = await reader.totals()
    assert [(s.name, s.gen) for s in totals.states] == [("posts.raw:0", 0), ("posts.raw:1", 2)]
    assert dict(totals.outcomes) == {"x\x1fcounted": 12}
    assert dict(totals.hashtags) == {"metoo": 8}
    assert totals.campaigns["metoo\x1ftotal\x1f"] == 8
    assert await reader.hashtag_totals(["metoo", "nothing"]) == {"metoo": 8}
    assert await reader.campaign_fields("metoo") == {
        field.removeprefix("metoo\x1f"): n for field, n in totals.campaigns.items()
    }
    assert (await reader.buckets(hashtag("metoo"), 10, [T, T + 10])) == {T: 8}
    assert (await reader.buckets(campaign("metoo"), 60, [T])) == {T: 8}


async def test_a_generation_that_begins_is_read_at_once(reader: Reader, filled: Filled) -> None:
    filled.partition(0, watermark=T)
    filled.outcome(0, "counted", 1)
    assert (await reader.outcomes()).total() == 1
    filled.partition(0, watermark=T, gen=1)
    filled.outcome(0, "counted", 1, gen=1)
    assert (await reader.outcomes()).total() == 2


async def test_another_hashtag_goes_25_hours_after_its_last_post(
    reader: Reader, filled: Filled
) -> None:
    filled.partition(0, watermark=T + 25 * HOUR)
    filled.partition(1, watermark=T)
    filled.tag(0, "kept", T, 1)
    filled.tag(0, "gone", T - 0.001, 2)
    filled.tag(0, "metoo", T - HOUR, 3, other=False)
    filled.tag(1, "gone", T - 0.001, 4)  # the other partition has not come so far
    assert dict((await reader.totals()).hashtags) == {"gone": 4, "kept": 1, "metoo": 3}
    tags = ["gone", "kept", "metoo"]
    assert await reader.hashtag_totals(tags) == {"gone": 4, "kept": 1, "metoo": 3}
    assert await reader.hashtag_fields("gone") == {"x\x1fen": 4}


async def test_fields_are_those_of_the_subject_alone(reader: Reader, filled: Filled) -> None:
    filled.partition(0, watermark=T)
    filled.tag(0, "me", T, 1, lang="de")
    filled.tag(0, "metoo", T, 2, lang="fr")
    filled.campaign(0, T, 5, name="me", lang="ja")
    filled.campaign(0, T, 7, name="metoo")
    assert await reader.fields(hashtag("me"), 60, [T]) == {"x\x1fde": 1}
    assert (await reader.fields(campaign("me"), 3600, [T // HOUR * HOUR]))["lang\x1fja"] == 5
    assert await reader.ranking(60, [T]) == {"me": 1, "metoo": 2}


async def test_authors_of_all_partitions_are_one_set(reader: Reader, filled: Filled) -> None:
    filled.partition(0, watermark=T)
    filled.partition(1, watermark=T)
    subject = campaign("metoo")
    filled.authors(0, subject.key, T, [f"a{i}" for i in range(500)])
    filled.authors(1, subject.key, T + 60, [f"a{i}" for i in range(250, 750)])
    assert await reader.authors(subject, 60, [T - 600]) == []
    values = await reader.authors(subject, 60, [T, T + 60])
    assert len(values) == 2
    assert abs(count_union([*values]) - 750) < 25
    assert count_union([*await reader.authors(subject, 0, [0])]) == count_union([*values])


async def test_states(reader: Reader, filled: Filled) -> None:
    filled.partition(0, watermark=T, offset=5, end=9)
    filled.partition(1, offset=None, end=None)
    filled.redis.hset(filled.layout.partition("posts.raw", 1).live, "paused", "dead letters")
    filled.redis.sadd(filled.layout.partitions, "nonsense")
    first, second = await reader.states()
    assert (first.watermark, first.lag, first.drained) == (T * 1000, 4, False)
    assert (second.offset, second.lag, second.drained) == (None, None, False)
    assert second.paused == "dead letters"


async def test_campaign_info_that_cannot_be_read_is_left_out(
    reader: Reader, filled: Filled
) -> None:
    filled.redis.hset(
        filled.layout.campaigns, mapping={"a": '{"hashtags": ["x"]}', "b": "{", "c": "[]"}
    )
    assert await reader.campaign_info() == {"a": {"hashtags": ["x"]}}
