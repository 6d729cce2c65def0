"""Invented records of Facebook, small enough to read in a test."""

from __future__ import annotations

import json
from typing import Any, Final

PAGE: Final = "5550001"
POST: Final = "5550001_7770001"
COMMENT: Final = "7770001_8880001"
SECONDS: Final = 1_508_098_871  # 2017-10-15T20:21:11Z


def line(record: Any) -> bytes:
    """As Facebook writes it, without spaces; also NaN, and halves of surrogate pairs."""
    return json.dumps(record, separators=(",", ":")).encode()


def _without_none(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def value(item: str | None = "status", verb: str | None = "add", **fields: Any) -> dict[str, Any]:
    """What changed in a feed; a field given as None is left out."""
    found: dict[str, Any] = {
        **{"item": item, "verb": verb, "from": {"id": "4440001", "name": "Ann"}},
        **{"post_id": POST, "created_time": SECONDS, "message": "Good morning"},
    }
    return _without_none(found | fields)


def webhook(*values: Any, field: str = "feed", time: int | None = SECONDS + 1) -> dict[str, Any]:
    """A record with one entry of these changes."""
    changes = [{"field": field, "value": one} for one in values]
    entry = _without_none({"id": PAGE, "time": time, "changes": changes})
    return {"object": "page", "entry": [entry]}


def feed_line(item: str | None = "status", verb: str | None = "add", **fields: Any) -> bytes:
    return line(webhook(value(item, verb, **fields)))


def comment_line(verb: str = "add", **fields: Any) -> bytes:
    return feed_line("comment", verb, **({"comment_id": COMMENT, "parent_id": POST} | fields))


def node(**fields: Any) -> dict[str, Any]:
    """A post of the Graph API; a field given as None is left out."""
    found: dict[str, Any] = {
        **{"id": POST, "from": {"id": "4440001", "name": "Ann"}, "message": "Good morning"},
        "created_time": "2017-10-15T20:21:11+0000",
    }
    return _without_none(found | fields)


def node_line(**fields: Any) -> bytes:
    return line(node(**fields))


def tag(name: str, offset: int = 0, **fields: Any) -> dict[str, Any]:
    """One of `message_tags`."""
    return {"id": "3330001", "name": name, "offset": offset, "length": len(name)} | fields
