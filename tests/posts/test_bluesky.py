"""Bluesky: posts, reposts and deletes as Jetstream sends them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.posts import bluesky
from streams.posts.birth import born_ms
from streams.posts.post import Decoded, Deleted, Ignored, Post, Unreadable
from tests.posts.samples_bluesky import (
    DID,
    OTHER,
    POST,
    REPOST,
    RKEY,
    TIME_US,
    URI,
    commit,
    event,
    facet,
    post_line,
    reference,
    repost_line,
)
from tests.posts.samples_bluesky import post as record

UID = f"bluesky:{DID}/{RKEY}"
PARENT = f"bluesky:{OTHER}/3mmoojp4cd222"
_KEYS = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def read(value: bytes) -> Decoded:
    """By its keys, and by its first bytes where they are Jetstream's."""
    keys = _KEYS(value)
    assert bluesky.recognises(keys)
    found = bluesky.decode(value, keys)
    for prefix, decoder in bluesky.PREFIXES.items():
        if value.startswith(prefix):
            assert decoder(value) == found
    return found


def post(**fields: Any) -> Post:
    found = read(post_line(**fields))
    assert isinstance(found, Post)
    return found


def test_an_original() -> None:
    text = "Café & #MeToo #metoo"
    found = post(text=text, langs=["pt-BR", "en"], facets=[facet("MeToo", 8, 14), facet("metoo")])
    assert found == Post(
        uid=UID,
        platform="bluesky",
        kind="original",
        parent=None,
        root=None,
        author_id=DID,
        created_at=1_779_719_008_757,
        lang="pt",
        country=None,
        country_source=None,
        followers=None,
        verified=None,
        hashtags=("metoo",),
        text=text,
    )


def test_the_prefix_is_that_of_an_event() -> None:
    assert any(post_line().startswith(prefix) for prefix in bluesky.PREFIXES)


def test_a_uid_says_when_the_post_was_made() -> None:
    assert born_ms(UID) == born_ms(f"bluesky:{DID}/repost/{RKEY}") is not None


def test_a_repost() -> None:
    found = read(repost_line())
    assert found == Post(
        uid=f"bluesky:{DID}/repost/{RKEY}",  # a post of this author may have the same key
        platform="bluesky",
        kind="repost",
        parent=PARENT,
        root=None,
        author_id=DID,
        created_at=1_779_719_009_001,
        lang="und",
        country=None,
        country_source=None,
        followers=None,
        verified=None,
        hashtags=(),
        text="",
    )


def test_a_reply() -> None:
    root = f"at://{DID}/{POST}/3mmoojp4cd221"
    found = post(reply={"parent": reference(), "root": reference(root)})
    assert (found.kind, found.parent, found.root) == (
        "reply",
        PARENT,
        f"bluesky:{DID}/3mmoojp4cd221",
    )
    assert post(reply={"parent": reference()}).root is None


def test_an_account_may_be_named_by_its_handle() -> None:
    found = post(reply={"parent": reference(f"at://some.example.org/{POST}/self")})
    assert found.parent == "bluesky:some.example.org/self"


QUOTE = {"$type": "app.bsky.embed.record", "record": reference()}
WITH_MEDIA = {
    "$type": "app.bsky.embed.recordWithMedia",
    "media": {"$type": "app.bsky.embed.images", "images": []},
    "record": {"$type": "app.bsky.embed.record", "record": reference()},
}


@pytest.mark.parametrize("embed", [QUOTE, WITH_MEDIA])
def test_a_quote(embed: dict[str, Any]) -> None:
    found = post(embed=embed)
    assert (found.kind, found.parent, found.root) == ("quote", PARENT, None)
    both = post(embed=embed, reply={"parent": reference(f"at://{DID}/{POST}/a")})
    assert (both.kind, both.parent) == ("reply", f"bluesky:{DID}/a")


@pytest.mark.parametrize(
    "embed",
    [
        {
            "$type": "app.bsky.embed.external",
            "external": {"uri": URI, "title": "", "description": ""},
        },
        {
            "$type": "app.bsky.embed.record",
            "record": reference(f"at://{DID}/app.bsky.graph.list/a"),
        },
        {"$type": "app.bsky.embed.record", "record": {}},
        {"$type": "org.example.embed", "record": 5, "like": "app.bsky.embed.record"},
        {"$type": 5},
    ],
)
def test_other_embeds_are_no_quotes(embed: dict[str, Any]) -> None:
    assert (post(embed=embed).kind, post(embed=embed).parent) == ("original", None)


@pytest.mark.parametrize(
    "uri", [f"at://{DID}/org.example.post/a", "https://example.org", f"at://{DID}/{POST}/a b", ""]
)
def test_a_reply_to_something_else_is_none(uri: str) -> None:
    found = post(reply={"parent": reference(uri), "root": reference()})
    assert (found.kind, found.parent, found.root) == ("original", None, None)


@pytest.mark.parametrize(
    ("written", "ms"),
    [
        ("2026-05-25T16:23:28.757123456+02:00", 1_779_719_008_757),
        ("2026-05-25T14:23:28Z", 1_779_719_008_000),
        ("2010-01-01T00:00:00Z", 1_262_304_000_000),  # taken along from elsewhere
        # later than Jetstream saw it
        ("2026-05-25T14:23:29.158Z", TIME_US // 1000),
        ("2999-01-01T00:00:00.000Z", TIME_US // 1000),
        # no time, or none that a post can have
        ("1970-01-01T00:00:00.000Z", TIME_US // 1000),
        ("2026-05-25T14:23:28", TIME_US // 1000),
        ("yesterday", TIME_US // 1000),
        ("", TIME_US // 1000),
        (17, TIME_US // 1000),
        (None, TIME_US // 1000),
    ],
)
def test_created_at(written: Any, ms: int) -> None:
    assert post(createdAt=written).created_at == ms
    found = read(repost_line(createdAt=written))
    assert isinstance(found, Post)
    assert found.created_at == ms


def test_created_at_counts_where_jetstream_gives_no_time() -> None:
    found = read(orjson.dumps(event(commit(record()), time_us=None)))
    assert isinstance(found, Post)
    assert found.created_at == 1_779_719_008_757


@pytest.mark.parametrize(
    ("langs", "lang"),
    [
        (["iw"], "he"),
        (["zh-Hant-TW", "en"], "zh"),
        (["", "en"], "und"),
        (["x" * 99], "und"),
        ([], "und"),
        (None, "und"),
    ],
)
def test_languages(langs: list[str] | None, lang: str) -> None:
    assert post(langs=langs).lang == lang


def test_deletes_and_edits() -> None:
    gone = commit(None, operation="delete", cid=None)
    assert read(orjson.dumps(event(gone))) == Deleted(UID, "bluesky")
    assert read(orjson.dumps(event(gone | {"collection": REPOST}))) == Deleted(
        f"bluesky:{DID}/repost/{RKEY}", "bluesky"
    )
    edit = event(commit(record(), operation="update"))
    assert read(orjson.dumps(edit)) == Ignored("edit", "bluesky")


@pytest.mark.parametrize("operation", ["create", "update", "delete"])
@pytest.mark.parametrize(
    ("collection", "reason"),
    [
        ("app.bsky.feed.like", "like"),
        ("app.bsky.graph.follow", "follow"),
        ("app.bsky.actor.profile", "profile"),
        ("org.example.anything", "record"),
        ("", "record"),
    ],
)
def test_other_collections(collection: str, reason: str, operation: str) -> None:
    made = commit({"subject": 5, "text": [], "facets": 1}, collection=collection)
    assert read(orjson.dumps(event(made | {"operation": operation}))) == Ignored(reason, "bluesky")


@pytest.mark.parametrize(
    ("kind", "reason"), [("identity", "identity"), ("account", "account"), ("new", "event")]
)
def test_other_events(kind: str, reason: str) -> None:
    value = orjson.dumps(event(None, kind=kind, **{kind: {"did": DID, "seq": 1}}))
    assert read(value) == Ignored(reason, "bluesky")


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        (event(None), "field"),
        (event(commit(None)), "field"),
        (event(commit(record(), rkey=None)), "validation"),
        (event(commit(record(), rkey="a b")), "field"),
        (event(commit(record(), rkey="a/b")), "field"),
        (event(commit(record(), rkey="")), "field"),
        (event(commit(record()), did="alice.example.org"), "field"),
        (event(commit(record()), did="did:plc:a b"), "field"),
        (event(commit(record(), operation="rename")), "field"),
        (event(commit(record(text=None))), "validation"),
        (event(commit(record(text=5))), "validation"),
        (event(commit(record(langs="en"))), "validation"),
        (event(commit(record(facets=[5]))), "validation"),
        (event(commit("text")), "validation"),
        (event(commit(record(createdAt="soon")), time_us=None), "created_at"),
        (event(commit(record(createdAt=None)), time_us=None), "created_at"),
        (event(commit(record(createdAt="soon")), time_us=5), "created_at"),
        (event(commit(record(createdAt="soon")), time_us=2**80), "created_at"),
        (event(commit({}, collection=REPOST)), "validation"),
        (event(commit({"subject": {"uri": "at://a/b/c"}}, collection=REPOST)), "field"),
        (event(commit({"subject": {"uri": "at://a/b"}}, collection=REPOST)), "field"),
        (event(commit({"subject": {"uri": ""}}, collection=REPOST)), "field"),
    ],
)
def test_what_cannot_be_read(made: dict[str, Any], reason: str) -> None:
    with pytest.raises((Unreadable, msgspec.ValidationError)) as caught:
        read(json.dumps(made).encode())
    found = caught.value.reason if isinstance(caught.value, Unreadable) else "validation"
    assert found == reason
    assert str(caught.value)


def test_keys_of_others_are_not_recognised() -> None:
    for keys in ({"id": 1, "text": 2}, {"did": 1, "text": 2}, {"kind": 1}):
        assert not bluesky.recognises({name: msgspec.Raw(b"1") for name in keys})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
NAMES = sorted({*record(), "facets", "tags", "reply", "embed", "subject"})
RECORDS = st.dictionaries(st.sampled_from(NAMES), JSON | st.just([facet("a")]), max_size=3)


@given(RECORDS, st.sampled_from([POST, REPOST]), st.sampled_from(["did", "rkey", ""]), st.text())
def test_no_record_escapes(fields: dict[str, Any], collection: str, name: str, value: str) -> None:
    made = commit(record() | {"subject": reference()} | fields, collection=collection)
    whole = event(made | ({"rkey": value} if name == "rkey" else {}))
    try:
        found = read(json.dumps(whole | ({"did": value} if name == "did" else {})).encode())
    except (Unreadable, msgspec.MsgspecError):
        return
    assert isinstance(found, Post)
    assert not any(char.isspace() for char in found.uid)
    assert found.hashtags == tuple(dict.fromkeys(found.hashtags))


def test_shapes_of_the_shared_data(shared_data: Path) -> None:
    lines = (shared_data / "payloads/shapes/bluesky-jetstream.jsonl").read_bytes().splitlines()
    original, repost, deleted, identity = map(read, lines)
    assert isinstance(original, Post)
    assert isinstance(repost, Post)
    assert (original.kind, original.lang, original.hashtags) == ("original", "es", ("yotambién",))
    assert (repost.kind, repost.parent) == ("repost", original.uid)
    assert deleted == Deleted(original.uid, "bluesky")
    assert identity == Ignored("identity", "bluesky")
