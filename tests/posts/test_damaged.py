"""Whatever is in a record of Mastodon or Facebook: nothing but `Unreadable` is raised."""

from __future__ import annotations

from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from streams.posts import Deleted, Post, Unreadable, decode, uid_of
from streams.posts.output import document
from tests.posts.samples_facebook import comment_line, feed_line, line, node, tag, value, webhook
from tests.posts.samples_mastodon import ID, event, status, status_line, update

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
STATUS = st.dictionaries(
    st.sampled_from(sorted({*status(), "quote_id", "text"})),
    JSON | st.just(status()),
    max_size=3,
)
CHANGE = st.dictionaries(
    st.sampled_from(sorted({*value(), "comment_id", "parent_id", "sender_id", "message_tags"})),
    JSON | st.sampled_from([[tag("#a")], "comment", "share", "remove"]),
    max_size=3,
)
NODE = st.dictionaries(
    st.sampled_from(sorted({*node(), "parent", "parent_id", "message_tags", "like_count"})),
    JSON | st.sampled_from([[tag("#a")], {"0": [tag("#a")]}, {"id": "1_2"}]),
    max_size=3,
)
RECORDS = {
    "mastodon": [
        status_line(reblog=status(content="<p>a<br>b</p>")),
        update(in_reply_to_id="5"),
        event("delete", ID),
    ],
    "facebook": [
        comment_line(message_tags=[tag("#a")]),
        feed_line("share", "hide"),
        line(node(message_tags={"0": [tag("#a")]})),
    ],
}


def check(record: bytes, platform: str | None) -> None:
    uid = uid_of(record, platform)
    try:
        found = decode(record, platform)
    except Unreadable as error:
        orjson.dumps([error.reason, error.detail])
        return
    assert uid == (found.uid if isinstance(found, Post | Deleted) else None)
    if isinstance(found, Post):
        orjson.dumps(document(found, (), ""))
        assert not any(char.isspace() for char in found.uid)
        assert found.hashtags == tuple(dict.fromkeys(found.hashtags))


@given(STATUS)
def test_no_status_escapes(fields: dict[str, Any]) -> None:
    record = status_line(**fields)
    check(record, "mastodon")
    check(event("update", record.decode()), None)


@given(CHANGE)
def test_no_webhook_escapes(fields: dict[str, Any]) -> None:
    check(line(webhook(value() | fields)), None)


@given(NODE)
def test_no_node_escapes(fields: dict[str, Any]) -> None:
    check(line(node() | fields), "facebook")


@given(st.sampled_from(sorted(RECORDS)), st.booleans(), st.data())
def test_no_damaged_record_escapes(platform: str, named: bool, data: st.DataObject) -> None:
    record = bytearray(data.draw(st.sampled_from(RECORDS[platform])))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(record) - 1))
        record[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    check(bytes(record), platform if named else None)
