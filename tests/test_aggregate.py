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
    return count(reading, (), classifier=classifier, rules=RULES, before=before)


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


def replies(found: Result) -> dict[str, dict[str, int]]:
    return {key: fields for key, fields in found.incr.items() if key.startswith("cb:replies:")}


def test_replies_are_counted_by_the_post_that_they_answer() -> None:
    """Whatever makes them posts of the campaign; a quote answers nothing."""
    other = "919660000000000000"

    def to(parent: str, one: dict[str, Any], kind: str = "replied_to") -> dict[str, Any]:
        return {**one, "referenced_tweets": [{"type": kind, "id": parent}]}

    found = result(
        answer(10),
        to(other, {**answer(20), "text": "#MeToo"}),
        to(other, {**answer(4000), "text": "#MeToo"}),
        to(other, {**answer(30), "text": "#MeToo"}, "quoted"),
        to(other, {**answer(40), "text": "Good morning", "conversation_id": other}),
    )
    hour = PARENT_MS // 3_600_000
    assert replies(found) == {
        f"cb:replies:{hour}": {f"metoo{US}x:{PARENT}": 1, f"metoo{US}x:{other}": 1},
        f"cb:replies:{hour + 1}": {f"metoo{US}x:{other}": 1},
    }
    assert found.expire[f"cb:replies:{hour}"] == (hour + 1 + 25) * 3_600_000
    assert replies(result({**answer(10), "referenced_tweets": [], "text": "#MeToo"})) == {}


def roots(found: Result) -> dict[str, int]:
    """Answers by root post."""
    prefix = f"metoo{US}root{US}"
    total = found.incr.get("campaigns", {})
    return {name.removeprefix(prefix): n for name, n in total.items() if name.startswith(prefix)}


@pytest.mark.parametrize(
    ("text", "parent", "conversation", "counts"),
    [
        ("Good morning", PARENT, PARENT, True),
        ("Me too.", PARENT, PARENT, True),  # a phrase
        ("#MeToo", PARENT, PARENT, True),  # a hashtag
        ("#MeToo", "919659438700670999", PARENT, True),  # to an answer of somebody's
        ("#MeToo", "919659438700670999", "919659438700670998", False),
    ],
)
def test_answers_to_a_root_post_whatever_they_say(
    text: str, parent: str, conversation: str, *, counts: bool
) -> None:
    about = [{"type": "replied_to", "id": parent}]
    found = result(
        {
            **answer(10, text=text),
            "referenced_tweets": about,
            "conversation_id": conversation,
        }
    )
    assert roots(found) == ({f"x:{PARENT}": 1} if counts else {})
    quoted = {**answer(10, text="#MeToo"), "referenced_tweets": [{"type": "quoted", "id": PARENT}]}
    assert roots(result(quoted)) == {}


CALL = CAMPAIGN.calls["en"][0]


@pytest.mark.parametrize(
    ("post", "followers", "noted"),
    [
        ({"text": CALL, "referenced_tweets": []}, 100_000, True),
        ({"text": f"#MeToo {CALL}", "referenced_tweets": []}, 100_000, True),
        ({"text": CALL, "referenced_tweets": []}, 99_999, False),
        ({"text": "#MeToo", "referenced_tweets": []}, 100_000, False),
        ({"text": CALL, "referenced_tweets": [{"type": "retweeted", "id": "5"}]}, 100_000, False),
    ],
)
def test_calls_of_amplifiers(post: dict[str, Any], followers: int, *, noted: bool) -> None:
    one = {**answer(10), **post}
    found = result(one, public_metrics={"followers_count": followers})
    calls = {key: fields for key, fields in found.notes.items() if "calls" in key}
    hour = (PARENT_MS + 10_000) // 3_600_000
    own = {f"a:calls:{hour}": {f"metoo{US}x:{one['id']}": "100000"}}
    assert calls == (own if noted else {})
    if noted:
        assert found.expire[f"a:calls:{hour}"] == (hour + 1 + 49) * 3_600_000


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
