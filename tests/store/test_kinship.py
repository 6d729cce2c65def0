"""What reposts and replies of Bluesky inherit, from a real Redis."""

from __future__ import annotations

from typing import Any

import pytest

from streams import campaigns
from streams.classify import Classifier, Membership
from streams.increments import Result
from streams.inheritance import Heritage, inherit
from streams.posts import Post
from streams.reading import Reading
from streams.store.kinship import KinshipStore
from streams.store.reads import Reader
from tests.filled import Filled
from tests.protocol.fakes import FakeRecord

CLASSIFIER = Classifier([campaigns.load("metoo")])
SUBJECT = "bluesky:did:plc:someone/3juyf2ivz2k2a"
T = 1_683_295_409_404
TAGGED = Heritage(("metoo", "paris"), (Membership("metoo", "hashtag", "testimony"),))
PHRASE = Heritage((), (Membership("metoo", "phrase", "testimony"),))


def post(uid: str = SUBJECT, **fields: Any) -> Post:
    values: dict[str, Any] = {
        **{"platform": "bluesky", "kind": "original", "parent": None, "root": None},
        **{"author_id": "did:plc:a", "created_at": T, "lang": "en", "country": None},
        **{"country_source": None, "followers": None, "verified": None, "hashtags": ()},
        "text": "",
    }
    return Post(uid=uid, **{**values, **fields})


def repost(number: int = 1, **fields: Any) -> Post:
    return post(f"bluesky:did:plc:b/{number}", kind="repost", parent=SUBJECT, **fields)


def reply(number: int = 2, **fields: Any) -> Post:
    return post(f"bluesky:did:plc:c/{number}", kind="reply", parent=SUBJECT, **fields)


def reading(*posts: Post) -> Reading:
    records = [FakeRecord(n, T, None, b"") for n in range(len(posts))]
    return Reading(0, 0, len(posts), records=records, posts=posts)


class Worker:
    def __init__(self, reader: Reader, filled: Filled) -> None:
        self.hits = self.misses = 0
        self.store = KinshipStore(reader._redis, filled.layout, self._report)

    def _report(self, hits: int, misses: int) -> None:
        self.hits += hits
        self.misses += misses

    async def wrote(self, subject: Post, heritage: Heritage) -> None:
        result = Result({}, {}, {})
        subject.hashtags = heritage.hashtags
        result.heritages.append((subject, heritage.campaigns))
        await self.store.remember(result)


@pytest.fixture
def worker(reader: Reader, filled: Filled) -> Worker:
    return Worker(reader, filled)


async def test_another_worker_finds_what_a_post_left(
    worker: Worker, reader: Reader, filled: Filled
) -> None:
    await worker.wrote(post(), TAGGED)
    other = Worker(reader, filled)
    found = await other.store.inherited(
        reading(post("bluesky:x/1"), repost(), reply(), reply(3, hashtags=("own",))), CLASSIFIER
    )
    assert found == {1: TAGGED, 2: TAGGED}
    assert (other.hits, other.misses) == (2, 0)
    stranger = post("bluesky:b/9", kind="repost", parent="bluesky:did:plc:who/3juyf2ivz2k2b")
    assert await other.store.inherited(reading(stranger), CLASSIFIER) == {}
    assert (other.hits, other.misses) == (2, 1)


async def test_a_subject_in_the_same_batch(worker: Worker) -> None:
    subject = post(hashtags=("metoo",), text="#MeToo")
    found = await worker.store.inherited(reading(subject, repost()), CLASSIFIER)
    assert found[1].hashtags == ("metoo",)
    assert [m.campaign for m in found[1].campaigns] == ["metoo"]


async def test_other_platforms_are_not_looked_up(worker: Worker) -> None:
    x = post("x:2", platform="x", kind="repost", parent="x:1")
    assert await worker.store.inherited(reading(x), CLASSIFIER) == {}
    assert (worker.hits, worker.misses) == (0, 0)


async def test_it_is_bounded(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streams.store.kinship._MOST", 1)
    monkeypatch.setattr("streams.store.kinship._BUCKETS", 1)
    await worker.wrote(post(), TAGGED)
    await worker.wrote(post("bluesky:did:plc:d/3juyf2ivz2k2c"), TAGGED)
    redis: Any = worker.store._redis
    keys = [key async for key in redis.scan_iter(f"{worker.store._layout.prefix}*:kin:*")]
    assert [await redis.hlen(key) for key in keys] == [1]
    assert await redis.ttl(keys[0]) > 25 * 3600


async def test_redis_gone_is_no_reason_to_wait(worker: Worker) -> None:
    redis: Any = worker.store._redis

    async def gone(*_: object, **__: object) -> None:
        raise TimeoutError("gone")

    redis.hmget = gone
    worker.store._write = gone
    await worker.wrote(post(), TAGGED)
    stranger = post("bluesky:b/9", kind="repost", parent="bluesky:did:plc:who/3juyf2ivz2k2b")
    assert await worker.store.inherited(reading(stranger), CLASSIFIER) == {}


def test_a_repost_belongs_where_its_subject_does() -> None:
    heir, found = inherit(repost(), TAGGED, CLASSIFIER)
    assert heir.hashtags == ("metoo", "paris")
    assert found == (Membership("metoo", "hashtag", "testimony"),)
    _, found = inherit(repost(), PHRASE, CLASSIFIER)
    assert found == (Membership("metoo", "repost", "testimony"),)


def test_a_reply_speaks_for_itself() -> None:
    original = reply(text="Thank you for saying it")
    heir, (found,) = inherit(original, TAGGED, CLASSIFIER)
    assert (found.campaign, found.via) == ("metoo", "hashtag")
    assert (heir.hashtags, original.hashtags) == (("metoo", "paris"), ())
    _, found_by_phrase = inherit(original, PHRASE, CLASSIFIER)
    assert [(m.campaign, m.via) for m in found_by_phrase] == [("metoo", "reply")]


def test_nothing_is_inherited_from_a_campaign_that_has_ended() -> None:
    ended = Heritage(("other",), (Membership("ended", "hashtag", "testimony"),))
    heir, found = inherit(repost(), ended, CLASSIFIER)
    assert (heir.hashtags, found) == (("other",), ())
    assert inherit(reply(), ended, CLASSIFIER)[1] == ()
