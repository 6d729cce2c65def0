"""X v2: objects of the filtered stream, and bare `data` objects."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from streams.posts import Deleted, Ignored, Post, Subject, Unreadable, decode
from tests.posts.samples import line, v2, v2_line


def post(tweet: dict[str, Any], **includes: Any) -> Post:
    found = decode(v2_line(tweet, **includes))
    assert isinstance(found, Post)
    return found


def tags(*names: str) -> dict[str, Any]:
    return {"hashtags": [{"start": 0, "end": 1, "tag": name} for name in names]}


def test_an_original() -> None:
    user = {"id": "2001", "verified": True, "public_metrics": {"followers_count": 50}}
    found = post(
        v2(geo={"place_id": "p1"}, entities=tags("MeToo"), conversation_id="1919660651000000004"),
        users=[{"id": "1"}, user],
        places=[{"id": "p0", "country_code": "ES"}, {"id": "p1", "country_code": "FR"}],
    )
    assert found == Post(
        uid="x:1919660651000000004",
        platform="x",
        kind="original",
        parent=None,
        root="x:1919660651000000004",
        author_id="2001",
        created_at=1772960400250,
        lang="en",
        country="FR",
        country_source="place",
        followers=50,
        verified=True,
        hashtags=("metoo",),
        text="Good morning",
    )


def test_a_bare_data_object_is_the_same_post() -> None:
    assert decode(line(v2(edit_history_tweet_ids=["5"]))) == post(v2(edit_history_tweet_ids=["5"]))


def test_an_edit_has_the_first_id() -> None:
    assert post(v2(edit_history_tweet_ids=["5", "6", "1919660651000000004"])).uid == "x:5"


def test_the_note_wins() -> None:
    note = {"text": "All of it #two &amp; more", "entities": tags("two")}
    found = post(v2(text="All… #one", entities=tags("one"), note_tweet=note))
    assert (found.text, found.hashtags) == ("All of it #two & more", ("two",))


def test_a_repost_shows_what_it_reposts() -> None:
    about = v2(
        id="8",
        author_id="9",
        text="Cut…",
        note_tweet={"text": "Whole #A #b"},
        edit_history_tweet_ids=["7", "8"],
        referenced_tweets=[{"type": "replied_to", "id": "6"}],
        conversation_id="4",
    )
    found = post(
        v2(text="RT @a: Cut…", referenced_tweets=[{"type": "retweeted", "id": "8"}]), tweets=[about]
    )
    assert (found.kind, found.parent, found.author_id) == ("repost", "x:7", "2001")
    assert (found.text, found.hashtags) == ("Whole #A #b", ("a", "b"))
    assert found.subject == Subject("reply", "x:6", "x:4")


def test_a_repost_without_what_it_reposts() -> None:
    found = post(
        v2(text="RT @some_one: Hello #A", referenced_tweets=[{"type": "retweeted", "id": "8"}])
    )
    assert (found.kind, found.parent, found.text) == ("repost", "x:8", "Hello #A")
    assert found.subject is None
    assert found.hashtags == ("a",)


def test_what_it_answers_comes_before_what_it_quotes() -> None:
    references = [{"type": "quoted", "id": "3"}, {"type": "replied_to", "id": "2"}]
    found = post(v2(referenced_tweets=references, conversation_id="1"))
    assert (found.kind, found.parent, found.root) == ("reply", "x:2", "x:1")
    assert post(v2(referenced_tweets=references[:1])).kind == "quote"
    assert post(v2(referenced_tweets=[{"type": "new", "id": "1"}])).kind == "original"


def test_a_parent_that_was_edited_has_its_first_id() -> None:
    parent = v2(id="3", edit_history_tweet_ids=["2", "3"])
    found = post(v2(referenced_tweets=[{"type": "replied_to", "id": "3"}]), tweets=[parent])
    assert found.parent == "x:2"


def test_entities_without_hashtags_mean_none() -> None:
    assert post(v2(text="#one", entities={"mentions": []})).hashtags == ()
    assert post(v2(text="#one")).hashtags == ("one",)


@pytest.mark.parametrize(
    ("written", "ms"),
    [
        ("2026-03-08T09:00:00.000Z", 1772960400000),
        ("2026-03-08T09:00:00Z", 1772960400000),
        ("2026-03-08T09:00:00.123456Z", 1772960400123),
        ("2026-03-08T10:00:00.500+01:00", 1772960400500),
        ("9999-12-31T23:59:59.000Z", 253402300799000),
    ],
)
def test_times(written: str, ms: int) -> None:
    for _ in range(2):  # parsed, then remembered
        assert post(v2(created_at=written)).created_at == ms


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"id": None}, "field"),
        ({"id": "x"}, "field"),
        ({"id": "9" * 20}, "field"),
        ({"id": {"low": 1}}, "field"),
        ({"text": None}, "field"),
        ({"text": ["text"]}, "field"),
        ({"author_id": None}, "field"),
        ({"author_id": ""}, "field"),
        ({"author_id": []}, "field"),
        ({"entities": 5}, "field"),
        ({"conversation_id": "a:b"}, "field"),
        ({"created_at": None}, "created_at"),
        ({"created_at": 17}, "created_at"),
        ({"created_at": "yesterday"}, "created_at"),
        ({"created_at": "2026-03-08T09:00:00"}, "created_at"),
        ({"created_at": "2026-02-30T09:00:00Z"}, "created_at"),
        ({"created_at": "1970-01-01T00:00:00.000Z"}, "created_at"),
        ({"created_at": "2006-03-20T23:59:59.999Z"}, "created_at"),
        ({"created_at": "10000-01-01T00:00:00Z"}, "created_at"),
    ],
)
def test_what_cannot_be_read(fields: dict[str, Any], reason: str) -> None:
    with pytest.raises(Unreadable) as caught:
        decode(v2_line(v2(**fields)))
    assert caught.value.reason == reason


def test_a_missing_field_says_what_to_ask_x_for() -> None:
    with pytest.raises(Unreadable, match=r"tweet\.fields=author_id"):
        decode(line({"id": "1", "text": "as X sends it without any options"}))


def test_a_page_is_to_be_split() -> None:
    for page in (orjson.dumps({"data": [v2()]}), orjson.dumps([v2()])):
        with pytest.raises(Unreadable, match="split"):
            decode(page)


def test_compliance_and_errors() -> None:
    gone = {"data": {"delete": {"tweet": {"id": "5", "author_id": "1"}, "event_at": "x"}}}
    assert decode(line(gone)) == Deleted("x:5", "x")
    assert decode(line({"data": {"withheld": {"tweet": {"id": "5"}}}})) == Ignored("withheld", "x")
    lost = {"errors": [{"title": "operational-disconnect"}]}
    assert decode(line(lost)) == Ignored("errors", "x")


def test_shapes_of_the_shared_data(shared_data: Path) -> None:
    lines = (shared_data / "payloads/shapes/x-v2.jsonl").read_bytes().splitlines()
    original, repost = (decode(line) for line in lines)
    assert isinstance(original, Post)
    assert isinstance(repost, Post)
    assert (original.country, original.followers, original.lang) == ("FR", 50, "fr")
    assert repost.hashtags == original.hashtags == ("balancetonporc", "moiaussi")
    assert (repost.kind, repost.parent, repost.text) == ("repost", original.uid, original.text)
