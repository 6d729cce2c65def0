"""Invented events of Jetstream, small enough to read in a test."""

from __future__ import annotations

from typing import Any, Final

import orjson

DID: Final = "did:plc:invented2invented2inven"
OTHER: Final = "did:web:other.example.org"
RKEY: Final = "3mmoojp4cd223"
POST: Final = "app.bsky.feed.post"
REPOST: Final = "app.bsky.feed.repost"
URI: Final = f"at://{OTHER}/{POST}/3mmoojp4cd222"
TIME_US: Final = 1_779_719_009_157_119  # 2026-05-25T14:23:29.157119Z


def event(commit: dict[str, Any] | None, **fields: Any) -> dict[str, Any]:
    """A commit, or with `kind` another event; a field given as None is left out."""
    found: dict[str, Any] = {"did": DID, "time_us": TIME_US, "kind": "commit", "commit": commit}
    found |= fields
    return {name: value for name, value in found.items() if value is not None}


def commit(record: Any, **fields: Any) -> dict[str, Any]:
    """What makes a record of the author's; a field given as None is left out."""
    found: dict[str, Any] = {
        **{"rev": "3mmoojpaqkn2z", "operation": "create", "collection": POST},
        **{"rkey": RKEY, "record": record, "cid": "bafyreiinvented"},
        **fields,
    }
    return {name: value for name, value in found.items() if value is not None}


def post(**fields: Any) -> dict[str, Any]:
    """A record of a post; a field given as None is left out."""
    record: dict[str, Any] = {
        "$type": POST,
        "createdAt": "2026-05-25T14:23:28.757Z",
        "langs": ["en"],
        "text": "Good morning",
    }
    record |= fields
    return {name: value for name, value in record.items() if value is not None}


def post_line(**fields: Any) -> bytes:
    return orjson.dumps(event(commit(post(**fields))))


def repost_line(uri: Any = URI, **fields: Any) -> bytes:
    record = {"$type": REPOST, "createdAt": "2026-05-25T14:23:29.001Z"}
    record |= {"subject": {"cid": "bafyreiinvented", "uri": uri}} | fields
    return orjson.dumps(event(commit(record, collection=REPOST)))


def facet(tag: Any, start: Any = 0, end: Any = 1) -> dict[str, Any]:
    """A hashtag at these bytes of the text."""
    feature = {"$type": "app.bsky.richtext.facet#tag", "tag": tag}
    return {"index": {"byteStart": start, "byteEnd": end}, "features": [feature]}


def link(start: int = 0, end: int = 1) -> dict[str, Any]:
    feature = {"$type": "app.bsky.richtext.facet#link", "uri": "https://example.org/#no"}
    return {"index": {"byteStart": start, "byteEnd": end}, "features": [feature]}


def reference(uri: str = URI) -> dict[str, str]:
    return {"cid": "bafyreiinvented", "uri": uri}
