"""What Facebook's webhooks say of a page's feed.

https://developers.facebook.com/docs/graph-api/webhooks/reference/page
A record is `{"object": "page", "entry": [{"changes": [{"field": "feed", "value": {...}}]}]}`.
"""

from __future__ import annotations

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
from streams.posts.post import Decoded, Deleted, Ignored, Unreadable

_POSTS: Final = frozenset({"link", "note", "photo", "post", "share", "status", "video"})
# What is no post, by the label under which it is ignored; others are an "item", a "verb" and so on.
_ITEMS: Final = frozenset({"album", "event", "like", "milestone", "rating", "reaction"})
_VERBS: Final = {
    **{"edit": "edit", "edited": "edit", "update": "edit", "unhide": "unhide", "mute": "mute"},
    **{"unmute": "unmute", "block": "block", "unblock": "unblock"},
}
_GONE: Final = frozenset({"remove", "delete", "hide"})


class _Change(msgspec.Struct, gc=False):
    field: str
    value: msgspec.Raw = ABSENT  # decoded where it is a feed's


class _Entry(msgspec.Struct, gc=False):
    changes: list[_Change] | None = None
    time: int | str | None = None


class _Webhook(msgspec.Struct, gc=False):
    entry: list[_Entry]
    object: str | None = None


class _Value(msgspec.Struct, gc=False):
    item: str
    verb: str
    post_id: Id | None = None
    comment_id: Id | None = None
    parent_id: Id | None = None
    author: From | None = msgspec.field(default=None, name="from")
    sender_id: Id | None = None  # instead of `from`, until v2.11
    created_time: int | str | None = None
    published: int | bool | None = None
    message: str | None = None
    message_tags: msgspec.Raw = ABSENT


_webhook: Final = msgspec.json.Decoder(_Webhook).decode
_value: Final = msgspec.json.Decoder(_Value).decode


def decode_webhook(value: bytes) -> Decoded:
    """A webhook's record of one change.  Raises `Unreadable` and what msgspec raises.

    Facebook may send several changes at once.  A record is one post: whoever writes them to Kafka
    splits them, and more than one is an error.
    """
    webhook = _webhook(value)
    if webhook.object != "page":
        return Ignored("object", PLATFORM)  # of a user, of an application, of Instagram
    if len(webhook.entry) != 1:
        raise Unreadable("shape", f"{len(webhook.entry)} entries: split them into one record each")
    entry = webhook.entry[0]
    if entry.changes is None:
        return Ignored("messaging", PLATFORM)
    if len(entry.changes) != 1:
        raise Unreadable("shape", f"{len(entry.changes)} changes: split them into one record each")
    change = entry.changes[0]
    if change.field != "feed":
        return Ignored("page", PLATFORM)  # what a page says of itself, mentions, ratings
    if change.value is ABSENT:
        raise Unreadable("field", "entry.changes.value is missing")
    return _feed(_value(change.value), entry.time)


def _feed(value: _Value, sent: int | str | None) -> Decoded:
    item, verb = value.item, value.verb
    comment = item == "comment"
    if not comment and item not in _POSTS:
        return Ignored(item if item in _ITEMS else "item", PLATFORM)
    if verb != "add" and verb not in _GONE:
        return Ignored(_VERBS.get(verb, "verb"), PLATFORM)
    number = value.comment_id if comment else value.post_id
    if number is None:
        raise Unreadable("field", f"{'comment_id' if comment else 'post_id'} is missing")
    uid = uid_of(number)
    if verb != "add":
        return Deleted(uid, PLATFORM)
    if value.published is not None and not value.published:
        return Ignored("unpublished", PLATFORM)
    kind, parent, root = "original", None, None
    if comment:
        root = None if value.post_id is None else uid_of(value.post_id)
        parent = root if value.parent_id is None else uid_of(value.parent_id)
        if parent is None:
            raise Unreadable("field", "parent_id and post_id are missing")
        kind = "reply"
    elif item == "share":
        kind = "repost"
        parent = None if value.parent_id is None else uid_of(value.parent_id)
    author = value.author
    if author is None or author.id is None:
        author = From(value.sender_id)
    created = sent if value.created_time is None else value.created_time
    if created is None:
        raise Unreadable("created_at", "created_time and entry.time are missing")
    text = value.message or ""
    hashtags = hashtags_of(value.message_tags, text)
    return make(uid, kind, parent, root, author, created_ms(created), hashtags, text)
