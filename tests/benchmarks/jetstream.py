"""Posts as Bluesky's Jetstream sends them, 550 bytes: `commit` events that create a post."""

from __future__ import annotations

from typing import Any, Final

import orjson

from streams.ingest.simulate.draft import Draft
from streams.ingest.simulate.x_common import iso_date

_BASE32: Final = "234567abcdefghijklmnopqrstuvwxyz"
_POST: Final = "app.bsky.feed.post"
#: Answered are posts that are not in the stream: a reply inherits the hashtags of those that are,
#: and what was meant knows nothing of that.
_UNSEEN: Final = 1 << 62


def jetstream(draft: Draft) -> bytes:
    """One line; a draft that reposts or quotes cannot be shown as one."""
    record: dict[str, Any] = {
        "$type": _POST,
        "createdAt": iso_date(draft.created),
        "text": draft.words.text,
    }
    if draft.words.lang != "und":
        record["langs"] = [draft.words.lang]
    facets = _facets(draft.words.text, draft.words.tags)
    if facets:
        record["facets"] = facets
    if draft.answers is not None:
        number, author = draft.answers
        number |= _UNSEEN
        parent = {"cid": _cid(number), "uri": f"at://{_did(author.id)}/{_POST}/{_tid(number)}"}
        record["reply"] = {"parent": parent, "root": parent}
    return orjson.dumps(
        {
            "did": _did(draft.author.id),
            "time_us": draft.created * 1000 + draft.salt % 1_000_000,
            "kind": "commit",
            "commit": {
                "rev": _tid(draft.id + 1),
                "operation": "create",
                "collection": _POST,
                "rkey": _tid(draft.id),
                "record": record,
                "cid": _cid(draft.id),
            },
        }
    )


def _facets(text: str, tags: tuple[str, ...]) -> list[dict[str, Any]]:
    """Where the hashtags stand, in UTF-8 bytes."""
    facets = []
    at = 0
    for tag in tags:
        start = text.find(f"#{tag}", at)
        at = start + 1 + len(tag)
        first = len(text[:start].encode())
        last = first + 1 + len(tag.encode())
        facets.append(
            {
                "index": {"byteStart": first, "byteEnd": last},
                "features": [{"$type": "app.bsky.richtext.facet#tag", "tag": tag}],
            }
        )
    return facets


def _digits(number: int, length: int) -> str:
    digits = []
    for _ in range(length):
        digits.append(_BASE32[number & 31])
        number >>= 5
    return "".join(reversed(digits))


def _tid(number: int) -> str:
    """A 63-bit number as a record key: 13 digits of base 32, sorted as they are made."""
    return _digits(number & 0x7FFFFFFFFFFFFFFF, 13)


def _did(number: int) -> str:
    return f"did:plc:{_digits(number * 0x9E3779B97F4A7C15F39CC0605CEDC835 & (1 << 120) - 1, 24)}"


def _cid(number: int) -> str:
    return f"bafyrei{_digits(number * 0xD1B54A32D192ED03 & (1 << 256) - 1, 52)}"
