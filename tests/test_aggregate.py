"""What a batch adds up to, without Redis."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from streams import campaigns
from streams.aggregate import count, tag_hours
from streams.classify import Classifier
from streams.increments import Result
from streams.keys import US
from streams.posts.birth import born_ms
from streams.reading import Rules, platform_of, read, source_of
from tests.protocol.fakes import FakeRecord

RULES = Rules(author_key=b"0123456789abcdef")
PARENT = "919659438700670976"  # 20:21:11.289 UTC
PARENT_MS = 1_508_098_871_289
CAMPAIGN = campaigns.load("metoo")


def result(*posts: dict[str, Any], classifier: Classifier | None = None, **users: Any) -> Result:
    records = []
    for number, post in enumerate(posts):
        line = {
            "data": {"lang": "en", "author_id": "7", **post},
            "includes": {"users": [{"id": "7", "username": "someone", **users}]},
        }
        records.append(FakeRecord(number, PARENT_MS + 86_400_000, None, orjson.dumps(line)))
    reading = read(records, watermark=None, sources={}, rules=RULES)
    assert not reading.dead
    classifier = classifier or Classifier([CAMPAIGN])
    before = dict.fromkeys(tag_hours(reading.posts, {}, classifier), 0)
    known = [False] * len(posts)
    return count(reading, known, classifier=classifier, rules=RULES, before=before)


def answer(seconds: float, kind: str = "replied_to", text: str = "Me too.") -> dict[str, Any]:
    at = PARENT_MS // 1000 + 1 + int(seconds)
    hours, rest = divmod(at % 86_400, 3600)
    return {
        "id": str((at * 1000 - 1_288_834_974_657) << 22),
        "text": text,
        "created_at": f"2017-10-15T{hours:02}:{rest // 60:02}:{rest % 60:02}.000Z",
        "conversation_id": PARENT,
        "referenced_tweets": [{"type": kind, "id": PARENT}],
    }


def delays(found: Result) -> dict[str, int]:
    prefix = f"metoo{US}delay{US}"
    return {
        field.removeprefix(prefix): n
        for key, fields in found.incr.items()
        if key.startswith("cb:3600:")
        for field, n in fields.items()
        if field.startswith(prefix)
    }


def test_how_long_after_their_parent_answers_came() -> None:
    assert born_ms(f"x:{PARENT}") == PARENT_MS
    found = result(answer(10), answer(30), answer(200), answer(2000))
    assert delays(found) == {"60": 2, "300": 1, "3600": 1}


def test_a_quote_is_no_child_and_a_post_without_parent_neither() -> None:
    quote = answer(10, kind="quoted", text="#MeToo")
    alone = {**answer(20), "referenced_tweets": [], "text": "#MeToo"}
    assert delays(result(quote, alone)) == {}


def test_delays_have_no_total() -> None:
    assert not any("delay" in field for field in result(answer(10)).incr["campaigns"])


@pytest.mark.parametrize(("followers", "noted"), [(99_999, 0), (100_000, 1), (None, 0)])
def test_posts_of_amplifiers(followers: int | None, noted: int) -> None:
    metrics = {} if followers is None else {"public_metrics": {"followers_count": followers}}
    found = result(answer(10), **metrics)
    assert sum(map(len, found.notes.values())) == noted
    if noted:
        ((key, fields),) = found.notes.items()
        created = PARENT_MS // 1000 * 1000 + 11_000
        assert key == f"a:{created // 3_600_000}"
        assert list(fields.values()) == [f"{created}{US}100000{US}reply"]
        assert found.expire[key] == (created // 3_600_000 + 1 + 49) * 3_600_000


def test_posts_of_known_accounts() -> None:
    known = campaigns.parse(
        'name = "metoo"\nversion = "1"\naccounts = ["x:7"]\n[hashtags]\nen = ["MeToo"]', "a test"
    )
    found = result({**answer(10), "text": "#MeToo"}, classifier=Classifier([known]))
    assert sum(map(len, found.notes.values())) == 1


@pytest.mark.parametrize(
    ("headers", "source", "platform"),
    [
        ([], None, None),
        ([("source-partition", b"3"), ("source-offset", b"17")], ("3", 17), None),
        ([("source-offset", b"17"), ("platform", b"x")], None, "x"),
        ([("source-partition", b"3"), ("source-offset", b"seventeen")], None, None),
        ([("source-partition", b"3"), ("source-offset", b"9" * 5000)], None, None),
        ([("source-partition", None), ("source-offset", None), ("platform", None)], None, None),
        ([("platform", b"\xff"), ("platform", b"x")], None, "\ufffd"),
    ],
)
def test_headers_that_anybody_may_write(
    headers: list[tuple[str, bytes]], source: tuple[str, int] | None, platform: str | None
) -> None:
    record = FakeRecord(0, PARENT_MS, None, b"{}", headers)
    assert (source_of(record), platform_of(record)) == (source, platform)
