"""Bluesky: events of Jetstream, `{"did", "time_us", "kind": "commit", "commit": {...}}`.

https://github.com/bluesky-social/jetstream, and the lexicons app.bsky.feed.post and .repost in
https://github.com/bluesky-social/atproto/tree/main/lexicons.

Uids: `bluesky:DID/RKEY` is the post at://DID/app.bsky.feed.post/RKEY, on the web
https://bsky.app/profile/DID/post/RKEY; `bluesky:DID/repost/RKEY` is the repost
at://DID/app.bsky.feed.repost/RKEY.  Record keys are unique within a collection only, and never
have a `/` in them, so the two cannot meet.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from streams.posts.fields import checked, iso_ms, language, tags, tags_in
from streams.posts.post import AccountDeleted, Decoded, Deleted, Ignored, Post, Unreadable

PLATFORM: Final = "bluesky"

_POST: Final = "app.bsky.feed.post"
_REPOST: Final = "app.bsky.feed.repost"
_TAG: Final = "app.bsky.richtext.facet#tag"
_QUOTES: Final = ("app.bsky.embed.record", "app.bsky.embed.recordWithMedia")
_IN_A_QUOTE: Final = _QUOTES[0].encode()
# Why an event is ignored is a label: these, and "record" for the collections of other applications.
_REASONS: Final = {
    f"app.bsky.{name}": name.rpartition(".")[2]
    for name in (
        *("actor.profile", "actor.status", "feed.generator", "feed.like", "feed.postgate"),
        *("feed.threadgate", "graph.block", "graph.follow", "graph.list", "graph.listblock"),
        *("graph.listitem", "graph.starterpack", "graph.verification", "labeler.service"),
    )
}
_EVENTS: Final = frozenset({"identity", "account"})

_ABSENT: Final = msgspec.Raw()
# https://atproto.com/specs/did and https://atproto.com/specs/record-key
_REPO: Final = r"[A-Za-z0-9._:%-]{1,2048}"
_RKEY: Final = r"[A-Za-z0-9._:~-]{1,512}"
_own: Final = re.compile(f"did:[a-z]+:{_REPO}/(?:repost/)?{_RKEY}").fullmatch
# An account may be named by its handle here; nothing in an event says whose it is.
_uri: Final = re.compile(f"at://({_REPO})/{_POST.replace('.', '[.]')}/({_RKEY})").fullmatch


class _Commit(msgspec.Struct, gc=False):
    operation: str
    collection: str
    rkey: str
    record: msgspec.Raw = _ABSENT  # of any collection: decoded where it is known which


class _Account(msgspec.Struct, gc=False):
    status: str | None = None


class _Event(msgspec.Struct, gc=False):
    did: str
    kind: str
    time_us: int | None = None
    commit: _Commit | None = None
    account: _Account | None = None


class _Reference(msgspec.Struct, gc=False):
    uri: str


class _Reply(msgspec.Struct, gc=False):
    parent: _Reference
    root: _Reference | None = None


# Kinds of features and embeds are open to other applications, which may write what they like in
# fields of the same name: `object`, and `Raw` until the type is known.


class _Feature(msgspec.Struct, gc=False):
    type: object = msgspec.field(default=None, name="$type")
    tag: object = None


class _Index(msgspec.Struct, gc=False):
    byteStart: object = None  # noqa: N815 - of the UTF-8 text


class _Facet(msgspec.Struct, gc=False):
    features: list[_Feature]
    index: _Index | None = None


class _PostRecord(msgspec.Struct, gc=False):
    text: str
    createdAt: object = None  # noqa: N815
    langs: list[str] | None = None
    facets: list[_Facet] | None = None
    tags: list[str] | None = None
    reply: _Reply | None = None
    embed: msgspec.Raw = _ABSENT


class _RepostRecord(msgspec.Struct, gc=False):
    subject: _Reference
    createdAt: object = None  # noqa: N815


class _Embedded(msgspec.Struct, gc=False):
    uri: str | None = None
    record: _Reference | None = None  # of a `recordWithMedia`


class _Embed(msgspec.Struct, gc=False):
    record: _Embedded


class _Typed(msgspec.Struct, gc=False):
    type: object = msgspec.field(default=None, name="$type")


_event: Final = msgspec.json.Decoder(_Event).decode
_post_record: Final = msgspec.json.Decoder(_PostRecord).decode
_repost_record: Final = msgspec.json.Decoder(_RepostRecord).decode
_embed: Final = msgspec.json.Decoder(_Embed).decode
_typed: Final = msgspec.json.Decoder(_Typed).decode


def recognises(keys: Mapping[str, msgspec.Raw]) -> bool:
    """Is a record with these top-level keys an event of Jetstream?"""
    return "did" in keys and "kind" in keys


def decode(value: bytes, keys: Mapping[str, msgspec.Raw]) -> Decoded:
    """An event of Jetstream.  Raises `Unreadable` and what msgspec raises."""
    return _decode(value)


def _decode(value: bytes) -> Decoded:
    event = _event(value)
    commit = event.commit
    if event.kind != "commit":
        # Other states, such as `deactivated`, may end.
        if event.kind == "account" and event.account and event.account.status == "deleted":
            return AccountDeleted("account", PLATFORM, event.did)
        return Ignored(event.kind if event.kind in _EVENTS else "event", PLATFORM)
    if commit is None:
        raise Unreadable("field", "commit is missing")
    collection, operation = commit.collection, commit.operation
    if collection == _POST:
        name = f"{event.did}/{commit.rkey}"
    elif collection == _REPOST:
        name = f"{event.did}/repost/{commit.rkey}"
    else:
        return Ignored(_REASONS.get(collection, "record"), PLATFORM)
    if _own(name) is None:
        raise Unreadable("field", f"{name[:80]!r} is no DID and record key")
    uid = "bluesky:" + name
    if operation == "create":
        if commit.record is _ABSENT:
            raise Unreadable("field", "commit.record is missing")
        if collection == _POST:
            return _post(event, _post_record(commit.record), uid)
        return _repost(event, _repost_record(commit.record), uid)
    if operation == "delete":
        return Deleted(uid, PLATFORM)
    if operation == "update":
        return Ignored("edit", PLATFORM)
    raise Unreadable("field", f"operation {operation[:40]!r} is none of create, update, delete")


# How Jetstream begins every event: saves looking at its keys first.
PREFIXES: Final[Mapping[bytes, Callable[[bytes], Decoded]]] = {b'{"did":"did:': _decode}
NAMES: Final[Mapping[bytes, Callable[[bytes], str]]] = {}


def _post(event: _Event, record: _PostRecord, uid: str) -> Post:
    kind, parent, root = "original", None, None
    reply = record.reply
    if reply is not None:
        parent = _uid(reply.parent.uri)
        if parent is not None:
            kind, root = "reply", _uid(reply.root.uri) if reply.root is not None else None
    if parent is None and record.embed is not _ABSENT:
        parent = _quoted(record.embed)
        if parent is not None:
            kind = "quote"
    text = record.text
    if record.facets is not None or record.tags is not None:
        hashtags = _hashtags(record)
    else:
        hashtags = tags_in(text)
    langs = record.langs
    return Post(
        uid,
        PLATFORM,
        kind,
        parent,
        root,
        event.did,
        _created(event, record.createdAt),
        language(langs[0]) if langs else "und",
        None,
        None,
        None,  # Jetstream says nothing of followers, and nothing of verification
        None,
        hashtags,
        text,
    )


def _repost(event: _Event, record: _RepostRecord, uid: str) -> Post:
    """Text, hashtags and subject of a repost are its parent's, which is not sent along."""
    parent = _uid(record.subject.uri)
    if parent is None:
        raise Unreadable("field", f"subject.uri {record.subject.uri[:80]!r} is no post's")
    created = _created(event, record.createdAt)
    return Post(
        *(uid, PLATFORM, "repost", parent, None, event.did, created, "und"),
        *(None, None, None, None, (), ""),
    )


def _uid(uri: str) -> str | None:
    """The uid of a post by its at-uri; None where it is something else's, such as a feed's."""
    match = _uri(uri)
    return f"bluesky:{match[1]}/{match[2]}" if match else None


def _quoted(embed: msgspec.Raw) -> str | None:
    if _IN_A_QUOTE not in bytes(embed) or _typed(embed).type not in _QUOTES:
        return None
    record = _embed(embed).record
    uri = record.uri if record.record is None else record.record.uri
    return _uid(uri) if uri else None


def _hashtags(record: _PostRecord) -> tuple[str, ...]:
    """Inline tags, then those that the author gave beside the text.

    Inline tags are the facets', in the order of their place in the text.  A facet's own word counts
    also where its bytes hold something else: it is what Bluesky links and finds.  A post without
    such facets (bots write none) has the tags that are found in its text.
    """
    facets = record.facets or []
    found = [
        feature.tag
        for facet in (facets if len(facets) < 2 else sorted(facets, key=_place))
        for feature in facet.features
        if feature.type == _TAG and isinstance(feature.tag, str)
    ]
    inline = tags(found) or tags_in(record.text)
    return tuple(dict.fromkeys(inline + tags(record.tags))) if record.tags else inline


def _place(facet: _Facet) -> int:
    start = facet.index.byteStart if facet.index is not None else None
    return start if isinstance(start, int) else 0


def _created(event: _Event, written: object) -> int:
    """ms UTC: the author's own word, unless it is no time or later than Jetstream saw the event."""
    seen = None if event.time_us is None else event.time_us // 1000
    if isinstance(written, str):
        try:
            created = iso_ms(written)
        except Unreadable:
            if seen is None:
                raise
        else:
            return created if seen is None or created < seen else checked(seen)
    if seen is None:
        raise Unreadable("created_at", "time_us and createdAt are missing")
    return checked(seen)
