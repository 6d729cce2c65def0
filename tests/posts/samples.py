"""Invented records of X, small enough to read in a test."""

from __future__ import annotations

import json
from typing import Any

import orjson

ROOT = "919659438700670976"


def v2(**fields: Any) -> dict[str, Any]:
    """A `data` object; a field given as None is left out."""
    tweet: dict[str, Any] = {
        "id": "1919660651000000004",
        "text": "Good morning",
        "author_id": "2001",
        "created_at": "2026-03-08T09:00:00.250Z",
        "lang": "en",
    }
    tweet |= fields
    return {name: value for name, value in tweet.items() if value is not None}


def v2_line(tweet: dict[str, Any], **includes: Any) -> bytes:
    line: dict[str, Any] = {"data": tweet}
    if includes:
        line["includes"] = includes
    line["matching_rules"] = [{"id": "1", "tag": "all"}]
    return orjson.dumps(line)


def v1(**fields: Any) -> dict[str, Any]:
    """A status; a field given as None is left out."""
    status: dict[str, Any] = {
        "created_at": "Sun Oct 15 20:21:11 +0000 2017",
        "id": 919659438700670001,
        "id_str": "919659438700670001",
        "text": "Good morning",
        "user": {"id_str": "1001", "followers_count": 5, "verified": False},
        "entities": {"hashtags": []},
        "lang": "en",
        "timestamp_ms": "1508098871289",
    }
    status |= fields
    return {name: value for name, value in status.items() if value is not None}


def line(record: Any) -> bytes:
    """As JSON; also NaN, integers beyond 64 bits and halves of surrogate pairs."""
    return json.dumps(record).encode()
