"""The work that every system is measured on, for one compact X v2 post.

Needs orjson alone: it is imported in environments of other systems, too.
"""

from __future__ import annotations

from typing import NamedTuple

import orjson

#: Slow systems are stopped after so many seconds, counted from their first record.
SECONDS = 20.0


class Parsed(NamedTuple):
    """What dedupe and counting need."""

    uid: str
    minute: str  # 2017-10-15T20:21
    lang: str
    tags: list[str]  # without repeats


def parse(value: bytes) -> Parsed:
    """Raises what orjson raises, and `KeyError`."""
    data = orjson.loads(value)["data"]
    whole = data.get("note_tweet", data)  # a long post's text is cut, and so are its entities
    hashtags = whole.get("entities", {}).get("hashtags", ())
    return Parsed(
        data["id"],
        data["created_at"][:16],
        data["lang"],
        list(dict.fromkeys([hashtag["tag"].casefold() for hashtag in hashtags])),
    )
