"""Mastodon: statuses, boosts and deletes, by themselves and as events."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from streams.posts import Decoded, Deleted, Ignored, Post, Subject, Unreadable, decode, mastodon
from tests.posts.samples_mastodon import (
    ACCOUNT,
    ID,
    PARENT,
    event,
    line,
    status,
    status_line,
    tags,
    update,
)

UID = f"mastodon:{ID}"


def read(value: bytes) -> Decoded:
    """By its shape, and by the header that names the platform."""
    found = decode(value)
    assert decode(value, "mastodon") == found
    assert decode(b" " + value) == found  # not by its first bytes
    return found


def post(*without: str, **fields: Any) -> Post:
    found = read(status_line(*without, **fields))
    assert isinstance(found, Post)
    return found


def test_an_original() -> None:
    found = post(content="<p>I, too. #MeToo</p>", tags=tags("MeToo", "metoo"), language="pt-BR")
    assert found == Post(
        uid=UID,
        platform="mastodon",
        kind="original",
        parent=None,
        root=None,
        author_id="https://social.example/@ann",
        created_at=1_760_559_671_289,
        lang="pt",
        country=None,
        country_source=None,
        followers=12,
        verified=None,
        hashtags=("metoo",),
        text="I, too. #MeToo",
    )


def test_the_prefixes_are_those_of_records() -> None:
    for value in (status_line(), update(), line({"event": "delete", "payload": ID})):
        assert any(value.startswith(prefix) for prefix in mastodon.PREFIXES)


@pytest.mark.parametrize(
    "value",
    [
        update(),
        event("update", status()),
        line({"event": "update", "payload": status_line().decode()}),
        line({"event": "update", "data": status_line().decode()}),
        line({"data": status(), "event": "update"}),
        line({"payload": status(), "stream": ["hashtag", "metoo"], "event": "update"}),
    ],
)
def test_a_status_may_come_in_an_event(value: bytes) -> None:
    assert read(value) == read(status_line())


def test_a_delete_has_the_uid_of_its_status() -> None:
    for payload in (ID, int(ID)):
        assert read(event("delete", payload)) == Deleted(UID, "mastodon")
        assert read(line({"event": "delete", "data": payload})) == Deleted(UID, "mastodon")


def test_the_answer_to_a_delete_is_one() -> None:
    """It has the source instead of the HTML: https://docs.joinmastodon.org/entities/Status/#text"""
    assert read(status_line("content", text="Good morning")) == Deleted(UID, "mastodon")
    boost = status_line("content", text="", reblog=status("content", id=PARENT, text=""))
    assert read(boost) == Deleted(UID, "mastodon")


def test_a_server_that_is_named_is_part_of_all_uids() -> None:
    found = read(update(in_reply_to_id=PARENT)[:-1] + b',"server":"Social.Example:3000"}')
    assert isinstance(found, Post)
    assert found.uid == f"mastodon:social.example:3000/{ID}"
    assert found.parent == f"mastodon:social.example:3000/{PARENT}"
    gone = event("delete", ID, server="social.example:3000")
    assert read(gone) == Deleted(found.uid, "mastodon")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("status.update", "edit"),
        ("notification", "notification"),
        ("conversation", "conversation"),
        ("announcement", "announcement"),
        ("announcement.reaction", "announcement"),
        ("filters_changed", "filters_changed"),
        ("something.new", "event"),
    ],
)
def test_other_events(name: str, reason: str) -> None:
    assert read(event(name, status_line().decode())) == Ignored(reason, "mastodon")
    assert read(line({"stream": ["user"], "event": name})) == Ignored(reason, "mastodon")


def test_what_comes_without_its_event() -> None:
    notification = {"id": "1", "type": "mention", "account": ACCOUNT, "status": status()}
    assert read(line(notification)) == Ignored("notification", "mastodon")
    conversation = {"id": "1", "unread": True, "accounts": [], "last_status": status()}
    assert read(line(conversation)) == Ignored("conversation", "mastodon")


@pytest.mark.parametrize("visibility", ["private", "direct", "limited", "list", "new"])
def test_what_was_not_published(visibility: str) -> None:
    private = Ignored("private", "mastodon")
    assert read(status_line(visibility=visibility)) == private
    assert read(update(visibility=visibility)) == private
    boost = status(visibility="public", content="", reblog=status(visibility=visibility))
    assert read(line(boost)) == private


@pytest.mark.parametrize("visibility", ["public", "unlisted", "local", None])
def test_what_was_published(visibility: str | None) -> None:
    assert post(visibility=visibility).uid == UID


def test_an_edited_status_is_the_same_post() -> None:
    assert post(edited_at="2025-10-15T20:22:00.000Z") == post()


def test_a_boost() -> None:
    other = ACCOUNT | {"url": "https://other.example/@bo", "followers_count": 900}
    about = status(
        **{"id": PARENT, "account": other, "language": "es", "spoiler_text": "Careful"},
        **{"content": "<p>Yo también</p>", "tags": tags("YoTambién"), "in_reply_to_id": "7"},
    )
    found = post(content="", language=None, reblog=about)
    assert (found.uid, found.kind, found.parent) == (UID, "repost", f"mastodon:{PARENT}")
    assert (found.author_id, found.followers) == ("https://social.example/@ann", 12)
    assert (found.text, found.hashtags, found.lang) == (
        "Careful\n\nYo también",
        ("yotambién",),
        "es",
    )
    assert found.subject == Subject("reply", "mastodon:7", None)
    plain = post(content=None, reblog=status(id=PARENT))
    assert plain.subject == Subject("original", None, None)


def test_a_reply() -> None:
    found = post(in_reply_to_id=PARENT, quote_id="9")
    assert (found.kind, found.parent, found.root) == ("reply", f"mastodon:{PARENT}", None)


@pytest.mark.parametrize(
    "fields",
    [
        {"quote": {"state": "accepted", "quoted_status": status(id=PARENT)}},
        {"quote": {"state": "accepted", "quoted_status_id": PARENT}},
        {"quote": status(id=PARENT), "quote_id": PARENT},
        {"quote": status(id=PARENT)},
        {"quote": True, "quote_id": PARENT},
    ],
)
def test_a_quote(fields: dict[str, Any]) -> None:
    assert (post(**fields).kind, post(**fields).parent) == ("quote", f"mastodon:{PARENT}")


@pytest.mark.parametrize(
    "quote",
    [
        {"state": "pending", "quoted_status": None},
        {"state": "revoked", "quoted_status_id": None},
        None,
        False,
        {},
    ],
)
def test_a_quote_that_is_not_shown_is_none(quote: Any) -> None:
    assert (post(quote=quote).kind, post(quote=quote).parent) == ("original", None)


def test_the_warning_is_part_of_the_text() -> None:
    found = post("tags", spoiler_text="About #harm", content="<p>#MeToo</p>")
    assert (found.text, found.hashtags) == ("About #harm\n\n#MeToo", ("harm", "metoo"))


@pytest.mark.parametrize(
    ("fields", "hashtags"),
    [
        ({"content": "<p>#one</p>", "tags": tags("Two")}, ("two",)),
        ({"content": "<p>#one</p>", "tags": []}, ()),
        ({"content": "<p>#one</p>", "tags": None}, ("one",)),
        ({"content": "<p>#<span>One</span> &amp;#x</p>", "tags": None}, ("one",)),
        ({"tags": tags("b", "A", "B")}, ("b", "a")),
    ],
)
def test_hashtags(fields: dict[str, Any], hashtags: tuple[str, ...]) -> None:
    assert post(**fields).hashtags == hashtags


@pytest.mark.parametrize(
    ("account", "author", "followers"),
    [
        ({"url": None}, "https://social.example/users/ann", 12),
        ({"url": "", "uri": None}, "mastodon:109", 12),
        ({"followers_count": -1}, "https://social.example/@ann", None),
        ({"followers_count": 2**63}, "https://social.example/@ann", None),
        ({"followers_count": None}, "https://social.example/@ann", None),
    ],
)
def test_authors(account: dict[str, Any], author: str, followers: int | None) -> None:
    found = post(account=ACCOUNT | account)
    assert (found.author_id, found.followers) == (author, followers)


def test_ids_of_other_software() -> None:
    found = post(id="9tKi1QCqgnXQtHzCWm", in_reply_to_id="01FBVD42CQ3ZEEVMW180SBX03B")
    assert found.uid == "mastodon:9tKi1QCqgnXQtHzCWm"
    assert found.parent == "mastodon:01FBVD42CQ3ZEEVMW180SBX03B"
    assert post(id=5).uid == "mastodon:5"


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (status_line("id"), "shape"),
        (status_line(id=""), "field"),
        (status_line(id="a b"), "field"),
        (status_line(id="٣"), "field"),
        (status_line(id="a/b"), "field"),
        (status_line(id="1" * 65), "field"),
        (status_line(id=None), "field"),
        (status_line("content"), "field"),
        (status_line(content=5), "field"),
        (status_line(account=None), "field"),
        (status_line(account={}), "field"),
        (status_line(tags=["a"]), "field"),
        (status_line(tags=[{"name": None}]), "field"),
        (status_line(in_reply_to_id="a:b"), "field"),
        (status_line(quote_id=""), "field"),
        (status_line(quote={"quoted_status": 5}), "field"),
        (status_line(reblog={}), "field"),
        (status_line("created_at"), "created_at"),
        (status_line(created_at="soon"), "created_at"),
        (status_line(created_at="2006-03-20T23:59:59.999Z"), "created_at"),
        (event("update", "{"), "json"),
        (event("update", None), "shape"),
        (event("update", "[]"), "shape"),
        (event("update", "{}"), "shape"),
        (event("update", "\ud83d"), "json"),
        (line({"stream": ["public"], "event": "update"}), "field"),
        (line({"stream": ["public"], "event": "delete"}), "field"),
        (event("delete", "a b"), "field"),
        (event("delete", {"id": ID}), "shape"),
        (event("delete", ID, server="a/b"), "field"),
        (event("delete", ID, server=5), "field"),
        (line([status()]), "shape"),
        (update().replace(b"Good", b"caf\xe9"), "utf8"),
        (status_line(card="@").replace(b"@", b"caf\xe9"), "utf8"),
        (event("update", status() | {"x": "["}).replace(b'"["', b"[" * 60_000), "too_deep"),
    ],
)
def test_what_cannot_be_read(value: bytes, reason: str) -> None:
    for platform in (None, "mastodon"):
        with pytest.raises(Unreadable) as caught:
            decode(value, platform)
        assert caught.value.reason == reason
        assert caught.value.detail


def test_a_page_is_to_be_split() -> None:
    for name in ("data", "descendants", "statuses"):
        for platform in (None, "mastodon"):
            with pytest.raises(Unreadable, match="split"):
                decode(line({name: [status()]}), platform)


def test_records_of_others_are_not_recognised() -> None:
    for record in (
        {"id": "1", "text": "x", "author_id": "2", "created_at": "2025-10-15T20:21:11Z"},
        {"id_str": "1", "user": {}, "text": "x", "created_at": "x"},
        {"event": "favorite", "target": {}, "source": {}},
        {"data": {"id": "1"}},
        {"did": "x", "kind": "account", "account": {}},
        {"object": "page", "entry": []},
    ):
        assert not mastodon.recognises({name: msgspec.Raw(b"0") for name in record})
        if "event" not in record:
            with pytest.raises(Unreadable):
                decode(line(record), "mastodon")
