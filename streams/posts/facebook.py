"""Facebook: posts and comments of the Graph API, and what webhooks say of a page's feed.

https://developers.facebook.com/docs/graph-api/reference/post and
https://developers.facebook.com/docs/graph-api/webhooks/reference/page (`feed`, in
`streams.posts.facebook_feed`).

Uids: `facebook:ID` with the id that Facebook gives, on the web https://www.facebook.com/ID.  A
post's is `PAGE_POST`, a comment's `POST_COMMENT`.

Authors: Facebook names who posted (`from`) only to those who may know.  Otherwise a post counts as
its page's own, and a comment, which somebody else wrote, as a person's of its own: most people who
answer do so once.  Facebook sends no followers, no language and no country.

A share, of a post or of a link, is a repost with the words of who shares: what is shared is not
sent along; in the Graph API it is a share where it has a `parent_id`.  The Graph API writes
comments as it writes posts; they are told apart by fields that only comments have, so ask for
`parent` or `like_count`.  What people show to their friends only, and what is not published yet,
is ignored.  A post that its page hides counts as deleted, and stays so when it is shown again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from streams.posts.facebook_common import (
    ABSENT,
    PLATFORM,
    From,
    Id,
    created_ms,
    hashtags_of,
    make,
    uid_of,
)
from streams.posts.facebook_feed import decode_webhook
from streams.posts.post import Decoded, Ignored, Unreadable

__all__ = ["NAMES", "PLATFORM", "PREFIXES", "decode", "recognises"]

# How webhooks begin: saves looking at their keys first.
PREFIXES: Final[Mapping[bytes, Callable[[bytes], Decoded]]] = {
    b'{"object":"page","entry":[': decode_webhook,
    b'{"entry":[': decode_webhook,
}
NAMES: Final[Mapping[bytes, Callable[[bytes], str]]] = {}
# What tells a record of the Graph API from others with an `id`.
_GRAPH: Final = frozenset(
    {"message", "story", "created_time", "message_tags", "permalink_url", "status_type"}
)
# Fields of comments that posts do not have.
_COMMENT: Final = frozenset(
    {"parent", "like_count", "user_likes", "comment_count", "can_remove", "can_comment"}
    | {"can_like", "can_hide"}
)
_PUBLIC: Final = frozenset({"", "EVERYONE"})  # "" is a page's or a group's
_CUSTOM: Final = "CUSTOM"  # some friends of a person's; or, with none named, an area, of a page's


class _Reference(msgspec.Struct, gc=False):
    id: Id | None = None


class _Privacy(msgspec.Struct, gc=False):
    value: str | None = None
    friends: str | None = None
    allow: str | None = None
    deny: str | None = None


class _Node(msgspec.Struct, gc=False):
    id: Id | None = None
    author: From | None = msgspec.field(default=None, name="from")
    created_time: int | str | None = None
    message: str | None = None
    message_tags: msgspec.Raw = ABSENT
    parent: _Reference | None = None  # of a comment that answers a comment
    parent_id: Id | None = None  # of a post that shares another
    privacy: _Privacy | None = None
    is_published: bool | None = None
    scheduled_publish_time: int | str | None = None


_node: Final = msgspec.json.Decoder(_Node).decode


def recognises(keys: Mapping[str, msgspec.Raw]) -> bool:
    """Is a record with these top-level keys a webhook's, a post or a comment of Facebook?"""
    return ("entry" in keys and "object" in keys) or ("id" in keys and not _GRAPH.isdisjoint(keys))


def decode(value: bytes, keys: Mapping[str, msgspec.Raw]) -> Decoded:
    """A webhook's record, a post or a comment.  Raises `Unreadable` and what msgspec raises."""
    if "entry" in keys:
        return decode_webhook(value)
    if "data" in keys:
        raise Unreadable("shape", "a page of posts: split its `data` into one record each")
    node = _node(value)
    if node.id is None:
        raise Unreadable("field", "id is missing")
    uid = uid_of(node.id)
    if node.is_published is False or node.scheduled_publish_time is not None:
        return Ignored("unpublished", PLATFORM)
    if node.privacy is not None and _private(node.privacy):
        return Ignored("private", PLATFORM)
    if node.created_time is None:
        fields = "created_time,from,message,message_tags"
        raise Unreadable("created_at", f"created_time is missing: ask Facebook for fields={fields}")
    kind, parent = _kind(node, uid, keys)
    text = node.message or ""
    return make(
        uid,
        kind,
        parent,
        None,  # the post that was commented on is known without its page only
        node.author,
        created_ms(node.created_time),
        hashtags_of(node.message_tags, text),
        text,
    )


def _private(privacy: _Privacy) -> bool:
    if privacy.value == _CUSTOM:
        return bool(privacy.friends or privacy.allow or privacy.deny)
    return (privacy.value or "") not in _PUBLIC


def _kind(node: _Node, uid: str, keys: Mapping[str, msgspec.Raw]) -> tuple[str, str | None]:
    if not _COMMENT.isdisjoint(keys):
        if node.parent is not None and node.parent.id is not None:
            return "reply", uid_of(node.parent.id)
        post, _, comment = uid.partition("_")
        return ("reply", post) if comment else ("original", None)
    if node.parent_id is not None:
        return "repost", uid_of(node.parent_id)
    return "original", None
