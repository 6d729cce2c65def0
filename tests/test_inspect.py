"""One line out for each line in, whatever is in it."""

from __future__ import annotations

from functools import cache

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.campaigns import load
from streams.classify import Classifier
from streams.ingest.simulate import load_scenario, simulate
from streams.inspect import inspect_line

POST = {
    "created_at": "Sun Oct 15 20:26:00 +0000 2017",
    "id_str": "919660651000000003",
    "text": "Me too. #MeToo",
    "user": {"id_str": "1003", "screen_name": "three", "followers_count": 240, "verified": False},
    "entities": {"hashtags": [{"text": "MeToo", "indices": [8, 14]}]},
    "place": {"country_code": "JP"},
    "lang": "en",
    "timestamp_ms": "1508099160000",
}
FIELDS = {
    "author",
    "campaigns",
    "country",
    "country_source",
    "created_at",
    "followers",
    "hashtags",
    "kind",
    "lang",
    "parent",
    "platform",
    "root",
    "text_key",
    "uid",
    "verified",
}


@cache
def classifier() -> Classifier:
    return Classifier([load("metoo")])


def inspect(line: bytes) -> dict[str, object]:
    found: dict[str, object] = orjson.loads(inspect_line(line, classifier()))
    return found


def test_a_post() -> None:
    found = inspect(orjson.dumps(POST))
    assert found.keys() >= FIELDS
    assert found["uid"] == "x:919660651000000003"
    assert found["created_at"] == 1508099160000
    assert found["hashtags"] == ["metoo"]
    assert found["country"] == "JP"
    assert found["campaigns"] == [{"campaign": "metoo", "via": "hashtag", "stance": "testimony"}]
    assert "1003" not in str(found["author"])
    assert found == inspect(orjson.dumps(POST)), "the author's hash is the same every time"


def test_what_is_no_post() -> None:
    assert inspect(b'{"limit":{"track":5}}') == {"ignored": "limit"}
    assert inspect(b'{"delete":{"status":{"id_str":"12","id":12}}}') == {"delete": "x:12"}


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b"\xff",
        b"[" * 100_000,
        b'{"text":"\\ud83d"}',
        b'{"\xed\xa0\x80":1}',
    ],
)
def test_what_cannot_be_read(line: bytes) -> None:
    assert inspect(line).keys() == {"error", "detail"}


@given(st.binary(max_size=300))
def test_any_bytes(line: bytes) -> None:
    assert inspect(line)


def test_a_whole_day() -> None:
    day = simulate(load_scenario("metoo-day"), posts=1500, seed=11)
    for line in day:
        found = inspect(line)
        assert found.keys() >= FIELDS or found.keys() in (
            {"error", "detail"},
            {"ignored"},
            {"delete"},
        )


def test_closed_hashtags_are_an_option_of_a_platform() -> None:
    line = orjson.dumps({**POST, "text": "今天 #米兔#", "entities": {}, "extended_tweet": None})
    assert "米兔" not in orjson.loads(inspect_line(line, classifier()))["hashtags"]
    found = orjson.loads(inspect_line(line, classifier(), closed=["x"]))
    assert found["hashtags"][-1] == "米兔"
    assert [m["via"] for m in found["campaigns"]] == ["hashtag"]


def test_it_says_which_rule_decided() -> None:
    found = orjson.loads(inspect_line(orjson.dumps(POST), classifier(), explain=True))
    assert found["explain"]["metoo"]["via"] == "hashtag"
    assert found["explain"]["metoo"]["tags"] == ["metoo"]
    assert found["explain"]["metoo"]["rule"]
