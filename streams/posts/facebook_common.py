"""What the Graph API and the webhooks of Facebook have in common."""

from __future__ import annotations

import re
from typing import Final, TypeAlias

import msgspec

from streams.posts.fields import checked, iso_ms, tags, tags_in
from streams.posts.post import Post, Unreadable

PLATFORM: Final = "facebook"
ABSENT: Final = msgspec.Raw()

#: Numbers, in JSON as text or not, two of them with `_` between.
Id: TypeAlias = str | int

_id: Final = re.compile(r"[A-Za-z0-9_]{1,128}").fullmatch
_SECONDS: Final = 100_000_000_000  # the year 5138; larger numbers are ms


class From(msgspec.Struct, gc=False):
    id: Id | None = None


class _Tag(msgspec.Struct, gc=False):
    name: str | None = None
    offset: int | None = None


_tag_list: Final = msgspec.json.Decoder(list[_Tag]).decode
_tags_by_offset: Final = msgspec.json.Decoder(dict[str, list[_Tag]]).decode


def uid_of(number: Id) -> str:
    """The uid of an id of Facebook."""
    name = str(number)
    if _id(name) is None:
        raise Unreadable("field", f"{name[:80]!r} is no id of Facebook")
    return "facebook:" + name


def created_ms(written: int | str) -> int:
    """ms UTC of seconds, or of a time such as `2017-10-15T20:21:11+0000`."""
    if isinstance(written, str):
        if not (written.isascii() and written.isdigit() and len(written) < 20):
            return iso_ms(written[:-5] + "Z" if written.endswith("+0000") else written)
        written = int(written)
    return checked(written * 1000 if written < _SECONDS else written)


def hashtags_of(message_tags: msgspec.Raw, text: str) -> tuple[str, ...]:
    """Facebook's own, where it marks any: its `message_tags` are mostly people and pages."""
    raw = bytes(message_tags)
    if b"#" in raw or b"\\uff03" in raw or "\uff03".encode() in raw:
        if raw[:1] == b"{":  # until v2.4: lists by offset
            found = [tag for several in _tags_by_offset(raw).values() for tag in several]
        else:
            found = _tag_list(raw)
        found.sort(key=_offset)
        marked = tags(tag.name for tag in found if tag.name and tag.name[0] in "#\uff03")
        if marked:
            return marked
    return tags_in(text)


def make(
    uid: str,
    kind: str,
    parent: str | None,
    root: str | None,
    author: From | None,
    created_at: int,
    hashtags: tuple[str, ...],
    text: str,
) -> Post:
    """A post; where it has no author, its page is, and of a comment nobody else."""
    if author is not None and author.id is not None:
        author_id = str(author.id)
    elif kind == "reply":
        author_id = uid
    else:
        author_id = uid.partition(":")[2].partition("_")[0]
    return Post(
        uid,
        PLATFORM,
        kind,
        parent,
        root,
        author_id,
        created_at,
        "und",
        None,
        None,
        None,
        None,
        hashtags,
        text,
    )


def _offset(tag: _Tag) -> int:
    return tag.offset or 0
