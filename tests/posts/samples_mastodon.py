"""Invented records of Mastodon, small enough to read in a test."""

from __future__ import annotations

import json
from typing import Any, Final

ID: Final = "115377160850000001"
PARENT: Final = "115377160850000000"
ACCOUNT: Final = {
    "id": "109",
    "acct": "ann",
    "url": "https://social.example/@ann",
    "uri": "https://social.example/users/ann",
    "created_at": "2022-11-05T00:00:00.000Z",
    "followers_count": 12,
    "note": "<p>#notes are no posts</p>",
}


def status(*without: str, **fields: Any) -> dict[str, Any]:
    """A status without these of its fields; None is null."""
    found: dict[str, Any] = {
        **{"id": ID, "created_at": "2025-10-15T20:21:11.289Z", "in_reply_to_id": None},
        **{"spoiler_text": "", "visibility": "public", "language": "en"},
        "uri": f"https://social.example/users/ann/statuses/{ID}",
        **{"content": "<p>Good morning</p>", "reblog": None, "account": ACCOUNT},
        **{"mentions": [], "tags": [], "quote": None},
    }
    return {name: value for name, value in (found | fields).items() if name not in without}


def line(record: Any) -> bytes:
    """As Mastodon writes it, without spaces; also NaN, and halves of surrogate pairs."""
    return json.dumps(record, separators=(",", ":")).encode()


def status_line(*without: str, **fields: Any) -> bytes:
    return line(status(*without, **fields))


def event(name: str, payload: Any, **fields: Any) -> bytes:
    """As the web socket sends it: the payload as a string of JSON, or as it is."""
    return line({"stream": ["public"], "event": name, "payload": payload} | fields)


def update(**fields: Any) -> bytes:
    return event("update", status_line(**fields).decode())


def tags(*names: str) -> list[dict[str, str]]:
    return [{"name": name, "url": f"https://social.example/tags/{name}"} for name in names]
