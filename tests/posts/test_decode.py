"""Whatever the bytes are: a post, something to ignore, a delete, or `Unreadable`."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.posts import Deleted, Post, Unreadable, decode, uid_of
from streams.posts.output import document
from tests.posts.samples import line, v1, v2, v2_line


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "empty"),
        (b"", "empty"),
        (b" \r\n", "empty"),
        (b"\xef\xbb\xbf{}", "json"),
        (b"null", "shape"),
        (b"17", "shape"),
        (b'"text"', "shape"),
        (b"{}", "shape"),
        (b'{"hello": 1}', "shape"),
        (b'[{"id": "1"}]', "shape"),
        (b'{"data": 5}', "shape"),
        (b'{"data": []}', "shape"),
        (b'{"data": {', "json"),
        (b"<html>", "json"),
        (b'{"limit": NaN}', "json"),
        (b"\x00\x00", "json"),
        (b"\x1f\x8b\x08", "utf8"),
        (b'{"data":' + b"[" * 60_000, "too_deep"),
        (b'{"a":' * 60_000, "too_deep"),
        (v2_line(v2()) + v2_line(v2()), "json"),
        (v2_line(v2())[:-1] + b',"deep":' + b"[" * 60_000 + b"]" * 60_000 + b"}", "too_deep"),
        (v2_line(v2()).replace(b"Good", b"caf\xe9"), "utf8"),
        (v2_line(v2(), users=[{"id": "1", "name": "@"}]).replace(b"@", b"caf\xe9"), "utf8"),
        (v2_line(v2()).replace(b"Good", b"\\ud83d"), "json"),
        (line(v1()).replace(b"Good", b"\\udc00"), "json"),
        (line(v1(id_str=None)).replace(b"919659438700670001", b"9" * 5000), "field"),
    ],
)
def test_dead_letters(value: bytes | None, reason: str) -> None:
    with pytest.raises(Unreadable) as caught:
        decode(value)
    assert caught.value.reason == reason
    orjson.dumps(caught.value.detail)


def test_half_a_surrogate_pair_is_called_so() -> None:
    with pytest.raises(Unreadable, match="surrogate"):
        decode(v2_line(v2()).replace(b"Good", b"\\ud83d"))


def test_the_header_decides_the_platform() -> None:
    assert decode(v2_line(v2()), "x") == decode(v2_line(v2()))
    with pytest.raises(Unreadable, match="no decoder for 'weibo'") as caught:
        decode(v2_line(v2()), "weibo")
    assert caught.value.reason == "platform"


@pytest.mark.parametrize("record", [v1(), {"data": v2()}])
def test_order_and_white_space_do_not_matter(record: dict[str, Any]) -> None:
    compact = decode(line(record))
    assert decode(orjson.dumps(record, option=orjson.OPT_INDENT_2)) == compact
    assert decode(b" " + orjson.dumps(dict(reversed(record.items())))) == compact


def test_an_edit_has_the_uid_of_its_first_version() -> None:
    edited = v2(edit_history_tweet_ids=["919659438700670001", "919659438700670002"])
    assert uid_of(v2_line(edited)) == "x:919659438700670001"
    assert uid_of(v2_line(edited), "x") == "x:919659438700670001"
    assert uid_of(v2_line(edited), "mastodon") is None
    assert uid_of(None) is None


def check(value: bytes) -> None:
    uid = uid_of(value)
    try:
        found = decode(value)
    except Unreadable as error:
        orjson.dumps([error.reason, error.detail])
        return
    assert uid == (found.uid if isinstance(found, Post | Deleted) else None)
    if isinstance(found, Post):
        text = orjson.dumps(document(found, (), ""))
        assert b"text_key" in text
        assert found.hashtags == tuple(dict.fromkeys(found.hashtags))


@given(st.binary())
def test_no_bytes_escape(value: bytes) -> None:
    check(value)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
FIELDS_V1 = sorted({*v1(), "retweeted_status", "quoted_status", "extended_tweet", "place"})
FIELDS_V2 = sorted({*v2(), "referenced_tweets", "note_tweet", "entities", "geo", "conversation_id"})


@given(st.dictionaries(st.sampled_from(FIELDS_V1), JSON, max_size=3))
def test_no_status_escapes(fields: dict[str, Any]) -> None:
    check(line(v1() | fields))


@given(st.dictionaries(st.sampled_from(FIELDS_V2), JSON, max_size=3), JSON)
def test_no_v2_post_escapes(fields: dict[str, Any], includes: Any) -> None:
    check(line({"data": v2() | fields, "includes": includes}))


@given(st.data())
def test_no_damaged_record_escapes(data: st.DataObject) -> None:
    value = bytearray(data.draw(st.sampled_from([line(v1()), v2_line(v2())])))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(value) - 1))
        value[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    check(bytes(value))
