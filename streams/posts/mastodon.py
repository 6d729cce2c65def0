"""Mastodon and its kin: statuses of the API, and events of the streaming API.

https://docs.joinmastodon.org/entities/Status and https://docs.joinmastodon.org/methods/streaming.
A record is a status by itself, or an event as the web socket sends it: `{"stream": ["public"],
"event": "update", "payload": "{...}"}`, with the payload as a string of JSON or as JSON, and named
`data` where a reader of server-sent events wrote it down.

Uids: `mastodon:ID`, the status's `id` on the server that is read.  A status has other ids on other
servers, and everywhere the same `uri`, which would make one post of what two servers show.  But a
delete names the id alone, and so does a reply its parent: with the `uri`, what people take back
would stay, and no reply would find what it answers.  An id is a server's own, so whoever reads
several servers puts events into Kafka, each with the key `"server": "HOST"` beside `event`; uids
are then `mastodon:HOST/ID`, on the web https://HOST/statuses/ID.  Of each server, read the local
timeline (`public:local`): no status is in two of them.  Whoever reads one server knows HOST.

What people did not publish (visibility `private`, `direct`, and others' names for the like) is
ignored, and so it is where they boosted it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Final

import msgspec

from streams.posts.fields import iso_ms, language, tags, tags_in
from streams.posts.html_text import html_text
from streams.posts.post import Decoded, Deleted, Ignored, Post, Subject, Unreadable

PLATFORM: Final = "mastodon"

# `local` is Pleroma's, `public_unlisted` kmyblue's: published, but not everywhere.
_PUBLISHED: Final = frozenset({"public", "unlisted", "local", "public_unlisted"})
# Events that are no status, by the label under which they are ignored; others are an "event".
_EVENTS: Final = {
    **{name: name for name in ("notification", "conversation", "filters_changed", "announcement")},
    **{"announcement.reaction": "announcement", "announcement.delete": "announcement"},
    **{"status.update": "edit", "notifications_merged": "notification"},
}
_PAGES: Final = ("statuses", "descendants", "data")  # of a search, of a thread, and of others
_LARGEST: Final = (1 << 63) - 1  # what Redis takes
_ABSENT: Final = msgspec.Raw()
# Decimal on Mastodon; Pleroma and GoToSocial have letters.
_id: Final = re.compile(r"[A-Za-z0-9_-]{1,64}").fullmatch
_host: Final = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?(?::[0-9]{1,5})?").fullmatch


class _Tag(msgspec.Struct, gc=False):
    name: str


class _Account(msgspec.Struct, gc=False):
    id: str | int
    url: str | None = None
    uri: str | None = None  # since 4.2
    followers_count: int | None = None


class _Shown(msgspec.Struct, gc=False):
    """What is read of a status inside another one."""

    id: str | int
    content: str | None = None
    text: str | None = None  # instead of `content`: the source, in the answer to a delete
    spoiler_text: str | None = None
    visibility: str | None = None
    language: str | None = None
    in_reply_to_id: str | int | None = None
    tags: list[_Tag] | None = None
    quote: msgspec.Raw = _ABSENT
    quote_id: str | int | None = None  # Fedibird, Akkoma


class _Status(_Shown, kw_only=True, gc=False):
    account: _Account
    created_at: str | None = None
    reblog: _Shown | None = None


class _Reference(msgspec.Struct, gc=False):
    id: str | int | None = None


class _Quote(_Reference, gc=False):
    """A Quote or ShallowQuote of Mastodon; of its forks, the quoted status itself."""

    quoted_status: _Reference | None = None
    quoted_status_id: str | int | None = None


class _Message(msgspec.Struct, gc=False):
    event: str
    payload: msgspec.Raw = _ABSENT
    data: msgspec.Raw = _ABSENT
    stream: msgspec.Raw = _ABSENT
    server: str | None = None


_status: Final = msgspec.json.Decoder(_Status).decode
_quote: Final = msgspec.json.Decoder(_Quote).decode
_message: Final = msgspec.json.Decoder(_Message).decode
_string: Final = msgspec.json.Decoder(str).decode
_deleted: Final = msgspec.json.Decoder(str | int).decode
_name: Final = attrgetter("name")


def recognises(keys: Mapping[str, msgspec.Raw]) -> bool:
    """Is a record with these top-level keys a status or an event of Mastodon?"""
    if "account" in keys:
        return "content" in keys or "uri" in keys or "type" in keys
    if "event" in keys:
        return "payload" in keys or "stream" in keys or "data" in keys
    return "last_status" in keys or "descendants" in keys or "statuses" in keys


def decode(value: bytes, keys: Mapping[str, msgspec.Raw]) -> Decoded:
    """A status or an event.  Raises `Unreadable` and what msgspec raises."""
    if "event" in keys:
        return _decode_message(value)
    if "account" in keys:
        if "type" in keys and "content" not in keys:
            return Ignored("notification", PLATFORM)
        return _decode_status(value, "mastodon:")
    if "last_status" in keys:
        return Ignored("conversation", PLATFORM)
    for name in _PAGES:
        if name in keys:
            raise Unreadable("shape", f"a page of statuses: split its `{name}` into a record each")
    raise Unreadable("shape", "no status and no event of Mastodon: it has no account")


def _decode_message(value: bytes) -> Decoded:
    message = _message(value)
    payload = message.data if message.payload is _ABSENT else message.payload
    if payload is _ABSENT and message.stream is _ABSENT:
        raise Unreadable("field", "payload is missing")
    prefix = "mastodon:"
    if message.server is not None:
        host = message.server.lower()
        if _host(host) is None:
            raise Unreadable("field", f"server {host[:80]!r} is no name of a host")
        prefix = f"mastodon:{host}/"
    if message.event not in ("update", "delete"):
        return Ignored(_EVENTS.get(message.event, "event"), PLATFORM)
    if payload is _ABSENT:
        raise Unreadable("field", "payload is missing")
    if message.event == "delete":
        return Deleted(_uid(prefix, _deleted(payload)), PLATFORM)
    if bytes(payload)[:1] == b'"':
        return _decode_status(_string(payload).encode(), prefix)
    return _decode_status(payload, prefix)


def _decode_bare(value: bytes) -> Decoded:
    if value.find(b'","created_at":"', 8, 64) < 0:  # others begin with an id as well
        raise Unreadable("shape", "not as Mastodon begins a status")
    return _decode_status(value, "mastodon:")


# How records begin as Mastodon writes them: saves looking at their keys first.
PREFIXES: Final[Mapping[bytes, Callable[[bytes], Decoded]]] = {
    b'{"id":"1': _decode_bare,
    b'{"stream":[': _decode_message,
    b'{"event":"': _decode_message,
}
NAMES: Final[Mapping[bytes, Callable[[bytes], str]]] = {}


def _decode_status(value: bytes | msgspec.Raw, prefix: str) -> Decoded:
    status = _status(value)
    uid = _uid(prefix, status.id)
    shown: _Shown = status
    about = status.reblog
    if status.content is None and status.text is not None:
        return Deleted(uid, PLATFORM)
    if about is not None:
        shown = about
    elif status.content is None:
        raise Unreadable("field", "content is missing")
    if _hidden(status.visibility) or _hidden(shown.visibility):
        return Ignored("private", PLATFORM)
    kind, parent = _kind(shown, prefix)
    subject = None
    if about is not None:
        subject = Subject(kind, parent, None)
        kind, parent = "repost", _uid(prefix, about.id)
    if status.created_at is None:
        raise Unreadable("created_at", "created_at is missing")
    text = html_text(shown.content or "")
    if shown.spoiler_text:
        text = f"{shown.spoiler_text}\n\n{text}"
    account = status.account
    followers = account.followers_count
    return Post(
        uid,
        PLATFORM,
        kind,
        parent,
        None,  # Mastodon names the parent only
        account.url or account.uri or prefix + str(account.id),  # the same on every server
        iso_ms(status.created_at),
        language(shown.language),  # of the text: a boost itself has none
        None,
        None,
        followers if followers is not None and 0 <= followers <= _LARGEST else None,
        None,
        tags_in(text) if shown.tags is None else tags(map(_name, shown.tags)),
        text,
        subject,
    )


def _uid(prefix: str, number: str | int) -> str:
    name = str(number)
    if _id(name) is None:
        raise Unreadable("field", f"{name[:80]!r} is no id of a status")
    return prefix + name


def _hidden(visibility: str | None) -> bool:
    return visibility is not None and visibility not in _PUBLISHED


def _kind(status: _Shown, prefix: str) -> tuple[str, str | None]:
    """reply, quote or original, with the parent's uid."""
    if status.in_reply_to_id is not None:
        return "reply", _uid(prefix, status.in_reply_to_id)
    quoted = status.quote_id
    if quoted is None and status.quote is not _ABSENT and bytes(status.quote)[:1] == b"{":
        quote = _quote(status.quote)
        quoted = quote.quoted_status_id
        if quoted is None:  # one that waits for consent, or was refused, shows no status
            quoted = quote.id if quote.quoted_status is None else quote.quoted_status.id
    return ("original", None) if quoted is None else ("quote", _uid(prefix, quoted))
