"""X API v1.1: a status as the streaming API (`compat`) and REST (`extended`) wrote it.

https://developer.x.com/en/docs/twitter-api/v1/data-dictionary/object-model/tweet
"""

from __future__ import annotations

from operator import attrgetter
from typing import Final

import msgspec

from streams.posts.fields import checked, classic_ms, country, language, tags, tags_in, unescaped
from streams.posts.post import Post, Subject, Unreadable
from streams.posts.x_common import number, uid_of


class _Hashtag(msgspec.Struct, gc=False):
    text: str


class _Entities(msgspec.Struct, gc=False):
    hashtags: list[_Hashtag] | None = None


class _Extended(msgspec.Struct, gc=False):
    full_text: str
    entities: _Entities | None = None


class _User(msgspec.Struct, gc=False):
    id_str: str | None = None
    id: int | None = None
    followers_count: int | None = None
    verified: bool | None = None
    location: str | None = None


class _Place(msgspec.Struct, gc=False):
    country_code: str | None = None


class _Shown(msgspec.Struct, gc=False):
    """What is read of a status inside another one."""

    id_str: str | None = None
    id: int | None = None
    text: str | None = None
    full_text: str | None = None
    extended_tweet: _Extended | None = None
    entities: _Entities | None = None
    in_reply_to_status_id_str: str | None = None
    in_reply_to_status_id: int | None = None
    quoted_status_id_str: str | None = None
    quoted_status_id: int | None = None


class _Status(_Shown, gc=False):
    created_at: str | None = None
    timestamp_ms: str | int | None = None
    user: _User | None = None
    place: _Place | None = None
    lang: str | None = None
    retweeted_status: _Shown | None = None
    quoted_status: _Shown | None = None


_tag: Final = attrgetter("text")
_decode: Final = msgspec.json.Decoder(_Status).decode


def decode_status(value: bytes) -> Post:
    """A status.  Raises `Unreadable` and what msgspec raises."""
    status = _decode(value)
    uid = _uid(status.id_str, status.id)
    if uid is None:
        raise Unreadable("field", "id_str and id are missing")
    user = status.user
    author = (user.id_str or (None if user.id is None else str(user.id))) if user else None
    if user is None or not author:
        raise Unreadable("field", "user.id_str and user.id are missing")
    shown: _Shown = status
    subject = None
    about = status.retweeted_status
    if about is not None:
        shown = about
        kind, parent = "repost", _uid(about.id_str, about.id)
        subject = Subject(*_kind(about), None)
    else:
        kind, parent = _kind(status)
    text, hashtags = _content(shown)
    land = country(status.place.country_code) if status.place is not None else None
    return Post(
        uid,
        "x",
        kind,
        parent,
        None,  # v1.1 names the parent only
        author,
        _created(status),
        language(status.lang),
        land,
        "place" if land else None,
        number(user.followers_count),
        user.verified,
        hashtags,
        text,
        subject,
        None if land else user.location or None,
    )


def _kind(status: _Shown) -> tuple[str, str | None]:
    """reply, quote or original, with the parent's uid."""
    parent = _uid(status.in_reply_to_status_id_str, status.in_reply_to_status_id)
    if parent is not None:
        return "reply", parent
    parent = _uid(status.quoted_status_id_str, status.quoted_status_id)
    if parent is None and isinstance(status, _Status) and status.quoted_status is not None:
        parent = _uid(status.quoted_status.id_str, status.quoted_status.id)
    return ("original", None) if parent is None else ("quote", parent)


def _uid(text: str | None, integer: int | None) -> str | None:
    if text:
        return uid_of(text)
    return None if integer is None else uid_of(str(integer))


def _content(status: _Shown) -> tuple[str, tuple[str, ...]]:
    """Text and hashtags; the extended tweet is the whole of what `text` has cut."""
    entities = status.entities
    text = status.text if status.full_text is None else status.full_text
    if status.extended_tweet is not None:
        text, entities = status.extended_tweet.full_text, status.extended_tweet.entities
    if text is None:
        raise Unreadable("field", "text and full_text are missing")
    text = unescaped(text)
    if entities is None or entities.hashtags is None:
        return text, tags_in(text)
    return text, tags(map(_tag, entities.hashtags))


def _created(status: _Status) -> int:
    """`timestamp_ms` is finer than `created_at`, and only the streaming API has it."""
    stamp = status.timestamp_ms
    if stamp:
        try:
            return checked(int(stamp))
        except ValueError:
            raise Unreadable("created_at", f"timestamp_ms is {str(stamp)[:40]!r}") from None
    if status.created_at is None:
        raise Unreadable("created_at", "timestamp_ms and created_at are missing")
    return classic_ms(status.created_at)
