"""Facebook: posts and comments of webhooks and of the Graph API."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from streams.posts import Decoded, Deleted, Ignored, Post, Unreadable, decode, facebook
from tests.posts.samples_facebook import (
    COMMENT,
    PAGE,
    POST,
    comment_line,
    feed_line,
    line,
    node,
    node_line,
    tag,
    value,
    webhook,
)

UID = f"facebook:{POST}"
MS = 1_508_098_871_000


def read(record: bytes) -> Decoded:
    """By its shape, and by the header that names the platform."""
    found = decode(record)
    assert decode(record, "facebook") == found
    assert decode(b" " + record) == found  # not by its first bytes
    return found


def post(record: bytes) -> Post:
    found = read(record)
    assert isinstance(found, Post)
    return found


ORIGINAL = Post(
    uid=UID,
    platform="facebook",
    kind="original",
    parent=None,
    root=None,
    author_id="4440001",
    created_at=MS,
    lang="und",
    country=None,
    country_source=None,
    followers=None,
    verified=None,
    hashtags=("metoo",),
    text="I, too. #MeToo",
)


@pytest.mark.parametrize("item", ["status", "post", "photo", "video", "link", "note"])
def test_a_post_of_a_feed(item: str) -> None:
    assert read(feed_line(item, message="I, too. #MeToo")) == ORIGINAL


def test_a_post_of_the_graph_api() -> None:
    assert read(node_line(message="I, too. #MeToo")) == ORIGINAL


def test_the_prefixes_are_those_of_webhooks() -> None:
    record = webhook(value())
    for found in (record, dict(reversed(record.items()))):
        assert any(line(found).startswith(prefix) for prefix in facebook.PREFIXES)


def test_a_comment() -> None:
    found = post(comment_line())
    assert (found.uid, found.kind, found.author_id) == (f"facebook:{COMMENT}", "reply", "4440001")
    assert (found.parent, found.root) == (UID, UID)
    found = post(comment_line(parent_id="7770001_8880000"))
    assert (found.parent, found.root) == ("facebook:7770001_8880000", UID)
    assert post(comment_line(parent_id=None)).parent == UID
    assert post(comment_line(post_id=None)).root is None


def test_a_comment_of_the_graph_api() -> None:
    found = post(node_line(id=COMMENT, like_count=0))
    assert (found.kind, found.parent, found.root) == ("reply", "facebook:7770001", None)
    found = post(node_line(id=COMMENT, parent={"id": "7770001_8880000", "message": "x"}))
    assert (found.kind, found.parent, found.root) == ("reply", "facebook:7770001_8880000", None)
    assert post(node_line(id="7770001", like_count=0)).kind == "original"


def test_a_share() -> None:
    found = post(feed_line("share", share_id=7770001, message="Read this #MeToo"))
    assert (found.uid, found.kind, found.parent) == (UID, "repost", None)
    assert (found.text, found.hashtags) == ("Read this #MeToo", ("metoo",))
    assert post(feed_line("share", parent_id="1_2")).parent == "facebook:1_2"
    found = post(node_line(parent_id="1_2"))
    assert (found.kind, found.parent) == ("repost", "facebook:1_2")


@pytest.mark.parametrize("verb", ["remove", "hide", "delete"])
def test_what_is_taken_back(verb: str) -> None:
    for item in ("status", "post", "photo", "video", "share"):
        assert read(feed_line(item, verb)) == Deleted(UID, "facebook")
    assert read(comment_line(verb)) == Deleted(f"facebook:{COMMENT}", "facebook")


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (feed_line("status", "edited"), "edit"),
        (feed_line("post", "edit"), "edit"),
        (comment_line("edited"), "edit"),
        (feed_line("status", "unhide"), "unhide"),
        (comment_line("unhide"), "unhide"),
        (feed_line("video", "block", post_id=None, video_id="5"), "block"),
        (feed_line("video", "mute", post_id=None), "mute"),
        (feed_line("status", "something new"), "verb"),
        (feed_line("like"), "like"),
        (feed_line("like", "remove", post_id=None), "like"),
        (feed_line("reaction", "edit"), "reaction"),
        (feed_line("album", published=1, post_id=None), "album"),
        (feed_line("event"), "event"),
        (feed_line("something new"), "item"),
        (feed_line("photo", published=0), "unpublished"),
        (feed_line("status", published=False), "unpublished"),
        (line(webhook({"verb": 5}, field="ratings")), "page"),
        (line(webhook("x", field="mention")), "page"),
        (line({"object": "page", "entry": [{"id": PAGE, "messaging": [{}]}]}), "messaging"),
        (line({"object": "instagram", "entry": [{}, {}]}), "object"),
        (node_line(is_published=False), "unpublished"),
        (node_line(scheduled_publish_time=1_508_198_871, created_time=None), "unpublished"),
        (node_line(privacy={"value": "SELF"}), "private"),
        (node_line(privacy={"value": "ALL_FRIENDS"}), "private"),
        (node_line(privacy={"value": "CUSTOM", "friends": "SOME_FRIENDS"}), "private"),
        (node_line(privacy={"value": "CUSTOM", "deny": "4440009"}), "private"),
    ],
)
def test_what_is_no_post(record: bytes, reason: str) -> None:
    assert read(record) == Ignored(reason, "facebook")


@pytest.mark.parametrize(
    "privacy",
    [{"value": ""}, {"value": "EVERYONE"}, {"value": "CUSTOM", "friends": ""}, {}, None],
)
def test_what_is_public(privacy: Any) -> None:
    assert post(node_line(privacy=privacy)).uid == UID


@pytest.mark.parametrize(
    ("record", "author"),
    [
        (feed_line(**{"from": {"id": 444}}), "444"),
        (feed_line(**{"from": None}, sender_id=333), "333"),
        (feed_line(**{"from": {"name": "Ann"}}, sender_id="333"), "333"),
        (feed_line(**{"from": None}), PAGE),
        (comment_line(**{"from": None}), f"facebook:{COMMENT}"),
        (node_line(**{"from": None}), PAGE),
        (node_line(**{"from": None}, id=COMMENT, like_count=1), f"facebook:{COMMENT}"),
        (node_line(**{"from": None}, id="7770001"), "7770001"),
    ],
)
def test_authors(record: bytes, author: str) -> None:
    assert post(record).author_id == author


@pytest.mark.parametrize(
    ("record", "ms"),
    [
        (feed_line(created_time=1_508_098_871), MS),
        (feed_line(created_time="1508098871"), MS),
        (feed_line(created_time=1_508_098_871_289), MS + 289),
        (feed_line(created_time="2017-10-15T20:21:11+0000"), MS),
        (feed_line(created_time=None), MS + 1000),  # when the webhook was sent
        (node_line(created_time=1_508_098_871), MS),
        (node_line(created_time="2017-10-15T22:21:11+0200"), MS),
        (node_line(created_time="2017-10-15T20:21:11Z"), MS),
    ],
)
def test_created_at(record: bytes, ms: int) -> None:
    for _ in range(2):  # parsed, then remembered
        assert post(record).created_at == ms


@pytest.mark.parametrize(
    ("message_tags", "hashtags"),
    [
        ([tag("#Two"), tag("Ann", type="user")], ("two",)),
        ([tag("#b", 9), tag("#A", 2), tag("#a", 5)], ("a", "b")),
        ({"9": [tag("#b", 9)], "2": [tag("#A", 2), tag("Ann", 2)]}, ("a", "b")),
        ([tag("＃二")], ("二",)),
        ([tag("#Two", offset=None)], ("two",)),
        # none of Facebook's own
        ([tag("Ann")], ("one",)),
        ([tag("Page #1 for you")], ("one",)),
        ({"0": [tag("Ann")]}, ("one",)),
        ([tag("#")], ("one",)),
        ([tag("#") | {"name": None}, tag("Ann")], ("one",)),
        ([], ("one",)),
        (None, ("one",)),
    ],
)
def test_hashtags(message_tags: Any, hashtags: tuple[str, ...]) -> None:
    for record in (
        feed_line(message="#One &#x", message_tags=message_tags),
        node_line(message="#One &#x", message_tags=message_tags),
    ):
        assert post(record).hashtags == hashtags


def test_a_post_without_words() -> None:
    found = post(node_line(message=None, story="Ann added a photo #no."))
    assert (found.text, found.hashtags) == ("", ())
    assert post(feed_line("photo", message=None)).text == ""


def entry(**fields: Any) -> bytes:
    return line({"object": "page", "entry": [{"id": PAGE, "time": 1_508_098_872} | fields]})


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (line(webhook(value(), value())), "shape"),
        (line(webhook()), "shape"),
        (line({"object": "page", "entry": [webhook(value())["entry"][0]] * 2}), "shape"),
        (line({"object": "page", "entry": []}), "shape"),
        (line({"object": "page", "entry": 5}), "field"),
        (entry(changes=[{"value": value()}]), "field"),
        (entry(changes=[{"field": "feed"}]), "field"),
        (entry(changes=[{"field": "feed", "value": 5}]), "shape"),
        (feed_line(item=None), "shape"),
        (feed_line(verb=None), "shape"),
        (feed_line(post_id=None), "field"),
        (feed_line(post_id="a b"), "field"),
        (feed_line(post_id=""), "field"),
        (feed_line(post_id="1" * 129), "field"),
        (feed_line(post_id="٣"), "field"),
        (feed_line(verb="remove", post_id=None), "field"),
        (comment_line(comment_id=None), "field"),
        (comment_line(parent_id=None, post_id=None), "field"),
        (comment_line(parent_id="a/b"), "field"),
        (feed_line(created_time="soon"), "created_at"),
        (feed_line(created_time="9" * 30), "created_at"),
        (feed_line(created_time=0), "created_at"),
        (feed_line(created_time=10**30), "created_at"),
        (feed_line(created_time=-(10**30)), "created_at"),
        (line(webhook(value(created_time=None), time=None)), "created_at"),
        (feed_line(message=5), "field"),
        (feed_line(message_tags=["#"]), "field"),
        (node_line(id=None), "shape"),
        (node_line(id=""), "field"),
        (node_line(id={"a": 1}), "field"),
        (node_line(created_time=None), "created_at"),
        (node_line(created_time="2006-03-20T23:59:59+0000"), "created_at"),
        (node_line(**{"from": 5}), "field"),
        (node_line(parent={"id": "a b"}), "field"),
        (feed_line().replace(b"Good", b"caf\xe9"), "utf8"),
        (feed_line(message="\ud83d"), "json"),
        (line([node()]), "shape"),
        (line({"data": [node()], "paging": {}}), "shape"),
    ],
)
def test_what_cannot_be_read(record: bytes, reason: str) -> None:
    for _ in range(2):
        with pytest.raises(Unreadable) as caught:
            decode(record)
        assert caught.value.reason == reason
        assert caught.value.detail


def test_what_is_to_be_split() -> None:
    for record in (line(webhook(value(), value())), line({"data": [node()]}), line([node()])):
        for platform in (None, "facebook"):
            with pytest.raises(Unreadable, match="split") as caught:
                decode(record, platform)
            assert caught.value.reason == "shape"


def test_a_missing_time_says_what_to_ask_facebook_for() -> None:
    with pytest.raises(Unreadable, match="fields=created_time"):
        decode(node_line(created_time=None))


def test_records_of_others_are_not_recognised() -> None:
    for names in (
        ("id", "text", "author_id", "created_at"),
        ("id_str", "user", "text", "created_at"),
        ("id", "account", "content", "created_at"),
        ("event", "payload", "stream"),
        ("did", "kind", "commit"),
        ("data", "includes"),
    ):
        assert not facebook.recognises(dict.fromkeys(names, msgspec.Raw(b"0")))
