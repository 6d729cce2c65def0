"""X v1.1: statuses as the streaming API wrote them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from streams.posts import Deleted, Ignored, Post, Subject, Unreadable, decode
from tests.posts.samples import line, v1


def post(**fields: Any) -> Post:
    found = decode(line(v1(**fields)))
    assert isinstance(found, Post)
    return found


def tags(*names: str) -> dict[str, Any]:
    return {"hashtags": [{"text": name, "indices": [0, 1]} for name in names]}


def test_an_original() -> None:
    found = post(
        place={"country_code": "pt"},
        entities=tags("MeToo", "METOO", "Café"),
        text="a &lt;b&gt; &amp;amp;",
    )
    assert found == Post(
        uid="x:919659438700670001",
        platform="x",
        kind="original",
        parent=None,
        root=None,
        author_id="1001",
        created_at=1508098871289,
        lang="en",
        country="PT",
        country_source="place",
        followers=5,
        verified=False,
        hashtags=("metoo", "café"),
        text="a <b> &amp;",
    )


def test_created_at_counts_where_there_is_no_timestamp() -> None:
    assert post(timestamp_ms=None).created_at == 1508098871000
    assert post(timestamp_ms=None, created_at="Sun Oct 15 22:21:11 +0200 2017").created_at == (
        1508098871000
    )


def test_the_extended_tweet_wins() -> None:
    extended = {"full_text": "All of it #Two", "entities": tags("Two")}
    found = post(text="All of… #One", entities=tags("One"), extended_tweet=extended, truncated=True)
    assert (found.text, found.hashtags) == ("All of it #Two", ("two",))


def test_full_text_of_the_rest_api() -> None:
    assert post(text=None, full_text="All of it").text == "All of it"


def test_a_repost_shows_what_it_reposts() -> None:
    about = v1(
        id_str="7",
        user={"id_str": "2"},
        extended_tweet={"full_text": "The whole text #A", "entities": tags("A")},
        in_reply_to_status_id_str="6",
    )
    found = post(
        text="RT @b: The wh…", retweeted_status=about, entities=tags("B"), quoted_status_id_str="9"
    )
    assert (found.kind, found.parent, found.author_id) == ("repost", "x:7", "1001")
    assert (found.text, found.hashtags) == ("The whole text #A", ("a",))
    assert found.subject == Subject("reply", "x:6", None)


def test_replies_and_quotes() -> None:
    assert (post(in_reply_to_status_id=5).kind, post(in_reply_to_status_id=5).parent) == (
        "reply",
        "x:5",
    )
    assert post(in_reply_to_user_id_str="3", text="@b hello").kind == "original"
    assert post(quoted_status={"id": 8, "text": "x"}).parent == "x:8"
    both = post(in_reply_to_status_id_str="5", quoted_status_id_str="8")
    assert (both.kind, both.parent) == ("reply", "x:5")


def test_ids_as_numbers() -> None:
    found = post(id_str=None, id=12, user={"id": 34})
    assert (found.uid, found.author_id) == ("x:12", "34")


def test_hashtags_are_found_in_the_text_where_x_sent_none() -> None:
    assert post(entities=None, text="#Ünder &amp;#not #two").hashtags == ("ünder", "two")
    assert post(text="#ignored").hashtags == ()


def test_a_hashtag_that_can_be_none_is_left_out() -> None:
    assert post(entities=tags("a\x1fb", "x" * 501, "", "ok")).hashtags == ("ok",)


@pytest.mark.parametrize(
    ("wire", "lang"),
    [
        ("iw", "he"),
        ("in", "id"),
        ("und", "und"),
        ("art", "und"),
        ("zxx", "und"),
        ("qht", "und"),
        ("en-gb", "en"),
        ("zh-Hant", "zh"),
        ("pt_BR", "pt"),
        ("", "und"),
        ("x" * 900, "und"),
        ("quz", "und"),
        ("EN", "en"),
        ("?!", "und"),
    ],
)
def test_languages(wire: str, lang: str) -> None:
    assert post(lang=wire).lang == lang


@pytest.mark.parametrize("code", ["", "PRT", "1A", "ÄÖ"])
def test_countries_that_are_none(code: str) -> None:
    found = post(place={"country_code": code})
    assert (found.country, found.country_source) == (None, None)


def test_numbers_out_of_range_are_not_counts() -> None:
    assert post(user={"id_str": "1", "followers_count": -1}).followers is None
    assert post(user={"id_str": "1", "followers_count": 2**63}).followers is None


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({"limit": {"track": 1}}, "limit"),
        ({"scrub_geo": {"user_id": 1}}, "scrub_geo"),
        ({"status_withheld": {"id": 1}}, "status_withheld"),
        ({"user_withheld": {"id": 1}}, "user_withheld"),
        ({"disconnect": {"code": 4}}, "disconnect"),
        ({"warning": {"code": "FALLING_BEHIND"}}, "warning"),
        ({"friends": [1]}, "friends"),
        ({"for_user": "1", "message": {"friends": []}}, "for_user"),
        ({"control": {"control_uri": "/"}}, "control"),
        ({"event": "favorite", "source": {}, "target": {}, "created_at": "x"}, "event"),
        ({"direct_message": {"id": 1, "text": "x"}}, "direct_message"),
        ({"delete": {"direct_message": {"id": 1}}}, "direct_message"),
        ({"user": {"id": 1, "screen_name": "a"}}, "user"),
    ],
)
def test_control_messages(record: dict[str, Any], reason: str) -> None:
    assert decode(line(record)) == Ignored(reason, "x")


def test_deletes() -> None:
    assert decode(line({"delete": {"status": {"id": 5, "id_str": "5"}}})) == Deleted("x:5", "x")
    assert decode(line({"delete": {"status": {"id": 5}}})) == Deleted("x:5", "x")


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"id": None, "id_str": None}, "field"),
        ({"id": -5, "id_str": None}, "field"),
        ({"id_str": "12a"}, "field"),
        ({"id_str": "٣"}, "field"),
        ({"id": 2**70, "id_str": None}, "field"),
        ({"user": None}, "field"),
        ({"user": {}}, "field"),
        ({"user": "somebody"}, "field"),
        ({"text": None}, "field"),
        ({"text": ["a"]}, "field"),
        ({"entities": 5}, "field"),
        ({"created_at": None, "timestamp_ms": None}, "created_at"),
        ({"timestamp_ms": "yesterday"}, "created_at"),
        ({"timestamp_ms": "0"}, "created_at"),
        ({"timestamp_ms": "9" * 30}, "created_at"),
        ({"timestamp_ms": None, "created_at": "yesterday"}, "created_at"),
        ({"timestamp_ms": None, "created_at": "Sun Oct 32 20:21:11 +0000 2017"}, "created_at"),
        ({"timestamp_ms": None, "created_at": 17}, "created_at"),
        ({"retweeted_status": {}}, "field"),
    ],
)
def test_what_cannot_be_read(fields: dict[str, Any], reason: str) -> None:
    with pytest.raises(Unreadable) as caught:
        decode(line(v1(**fields)))
    assert caught.value.reason == reason
    assert caught.value.detail


def test_shapes_of_the_shared_data(shared_data: Path) -> None:
    lines = (shared_data / "payloads/shapes/x-v1.1.jsonl").read_bytes().splitlines()
    original, repost, reply = (decode(line) for line in lines)
    assert isinstance(original, Post)
    assert isinstance(repost, Post)
    assert isinstance(reply, Post)
    assert (original.kind, original.country, original.hashtags) == ("original", "PT", ("metoo",))
    assert original.text.endswith("Please copy and paste. #MeToo")
    assert (repost.kind, repost.parent, repost.text) == ("repost", original.uid, original.text)
    assert (reply.kind, reply.parent, reply.followers) == ("reply", original.uid, 240)


def test_control_messages_of_the_shared_data(shared_data: Path) -> None:
    reasons = {}
    for path in (shared_data / "payloads/x-v1.1-control").glob("*.json"):
        try:
            found = decode(path.read_bytes())
        except Unreadable as error:
            reasons[path.stem] = error.reason
        else:
            assert not isinstance(found, Post)
            reasons[path.stem] = found.reason if isinstance(found, Ignored) else found.uid
    assert reasons == {
        "control-message": "control",
        "direct-message-delete": "direct_message",
        "disconnect-message": "disconnect",
        "friends-list": "friends",
        "limit": "limit",
        "scrub-geo": "scrub_geo",
        "sitestream-friends-list": "for_user",
        "status": "field",  # a status without its user
        "status-deletion": "x:1234",
        "user": "user",
    }
