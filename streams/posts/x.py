"""X: which of its formats a record is in, and what it sends beside posts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from streams.posts.post import Decoded, Deleted, Ignored, Unreadable
from streams.posts.x_common import uid_of
from streams.posts.x_v1 import decode_status
from streams.posts.x_v2 import decode_bare, decode_line, name_line

PLATFORM: Final = "x"
# How a record of X begins, whatever follows: saves looking at its keys first.
PREFIXES: Final[Mapping[bytes, Callable[[bytes], Decoded]]] = {
    b'{"data":{': decode_line,
    b'{"created': decode_status,
}
NAMES: Final[Mapping[bytes, Callable[[bytes], str]]] = {b'{"data":{': name_line}
# https://developer.x.com/en/docs/twitter-api/v1/tweets/filter-realtime/guides/streaming-message-types
_CONTROL: Final = (
    *("limit", "scrub_geo", "status_withheld", "user_withheld", "disconnect", "warning"),
    *("friends", "friends_str", "control", "for_user", "direct_message", "errors"),
)
_CONTROL_KEYS: Final = 4  # more keys than a control message has
# https://docs.x.com/x-api/compliance/streams/introduction
_COMPLIANCE: Final = frozenset(
    {"drop", "undrop", "withheld", "tweet_edit", "scrub_geo", "user_delete", "user_undelete"}
    | {"user_protect", "user_unprotect", "user_suspend", "user_unsuspend", "user_withheld"}
    | {"user_profile_modification"}
)
_STATUS: Final = frozenset({"text", "full_text", "extended_tweet", "retweeted_status", "id_str"})
_V2: Final = frozenset({"author_id", "edit_history_tweet_ids", "conversation_id"})


class _Id(msgspec.Struct, gc=False):
    id_str: str | None = None
    id: str | int | None = None


class _Delete(msgspec.Struct, gc=False):
    status: _Id | None = None  # v1.1
    tweet: _Id | None = None  # v2, compliance stream
    direct_message: dict[str, object] | None = None


def recognises(keys: Mapping[str, msgspec.Raw]) -> bool:
    """Is a record with these top-level keys one of X's?"""
    if "data" in keys or "delete" in keys or keys.keys() == {"user"}:
        return True
    if "text" in keys or "full_text" in keys:
        return "id" in keys or "id_str" in keys or "user" in keys
    if "user" in keys and ("id_str" in keys or "retweeted_status" in keys):
        return True
    return _control(keys) is not None


def decode(value: bytes, keys: Mapping[str, msgspec.Raw]) -> Decoded:
    """A record of X in any of its formats.  Raises `Unreadable` and what msgspec raises."""
    data = keys.get("data")
    if data is not None:
        return _data(value, bytes(data))
    if "delete" in keys:
        return _delete(bytes(keys["delete"]))
    if not _STATUS.isdisjoint(keys):
        v2 = not _V2.isdisjoint(keys) or bytes(keys.get("id", b"")).startswith(b'"')
        if v2 and "user" not in keys and "id_str" not in keys:
            return decode_bare(value)
        return decode_status(value)
    name = _control(keys)
    if name is not None:
        return Ignored(name, PLATFORM)
    if "user" in keys:
        return Ignored("user", PLATFORM)
    raise Unreadable("shape", "no post, delete or control message of X")


def _control(keys: Mapping[str, msgspec.Raw]) -> str | None:
    if "event" in keys and "target" in keys:  # favorite, follow, list_created, ...
        return "event"
    if len(keys) > _CONTROL_KEYS:
        return None
    return next((name for name in _CONTROL if name in keys), None)


def _data(value: bytes, data: bytes) -> Decoded:
    if data[:1] == b"[":
        raise Unreadable("shape", "a page of posts: split its `data` into one record each")
    if data[:1] != b"{":
        raise Unreadable("shape", "`data` is no object")
    inner = msgspec.json.decode(data, type=dict[str, msgspec.Raw])
    if "id" not in inner and "text" not in inner:
        if "delete" in inner:
            return _delete(bytes(inner["delete"]))
        for name in inner:
            if name in _COMPLIANCE:
                return Ignored(name, PLATFORM)
    return decode_line(value)


def _delete(value: bytes) -> Decoded:
    message = msgspec.json.decode(value, type=_Delete)
    post = message.status or message.tweet
    if post is None:
        if message.direct_message is None:
            raise Unreadable("field", "delete names no post")
        return Ignored("direct_message", PLATFORM)
    number = post.id_str or post.id
    if number is None or number == "":
        raise Unreadable("field", "delete has no id")
    return Deleted(uid_of(str(number)), PLATFORM)
