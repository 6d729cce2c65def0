"""X API v2: `{"data": {...}, "includes": {...}, "matching_rules": [...]}`, or a bare `data` object.

https://docs.x.com/x-api/posts/filtered-stream
"""

from __future__ import annotations

from typing import Final

import msgspec

from streams.posts.fields import (
    country,
    iso_ms,
    language,
    round_seconds,
    tags,
    tags_in,
    unescaped,
)
from streams.posts.post import Post, Subject, Unreadable
from streams.posts.x_common import number, uid_of, without_rt

# Only what is used is decoded; msgspec skips the rest (1.3 µs for a post of 770 bytes).


class _Hashtag(msgspec.Struct, gc=False):
    tag: str


class _Entities(msgspec.Struct, gc=False):
    hashtags: list[_Hashtag] | None = None


class _Reference(msgspec.Struct, gc=False):
    type: str
    id: str


class _Note(msgspec.Struct, gc=False):
    text: str
    entities: _Entities | None = None


class _Geo(msgspec.Struct, gc=False):
    place_id: str | None = None


class _Tweet(msgspec.Struct, gc=False):
    id: str
    text: str
    author_id: str | None = None
    created_at: str | None = None
    lang: str | None = None
    conversation_id: str | None = None
    edit_history_tweet_ids: list[str] | None = None
    referenced_tweets: list[_Reference] | None = None
    entities: _Entities | None = None
    note_tweet: _Note | None = None
    geo: _Geo | None = None


class _Metrics(msgspec.Struct, gc=False):
    followers_count: int | None = None


class _User(msgspec.Struct, gc=False):
    id: str
    verified: bool | None = None
    location: str | None = None
    public_metrics: _Metrics | None = None


class _Place(msgspec.Struct, gc=False):
    id: str
    country_code: str | None = None


class _Includes(msgspec.Struct, gc=False):
    users: list[_User] | None = None
    places: list[_Place] | None = None
    tweets: list[_Tweet] | None = None


class _Line(msgspec.Struct, gc=False):
    data: _Tweet
    includes: _Includes | None = None


class _NamedTweet(msgspec.Struct, gc=False):
    """What names a post, and what else one has to have."""

    id: str
    text: msgspec.Raw
    author_id: str
    created_at: str
    edit_history_tweet_ids: list[str] | None = None


class _Named(msgspec.Struct, gc=False):
    data: _NamedTweet


_line: Final = msgspec.json.Decoder(_Line).decode
_named: Final = msgspec.json.Decoder(_Named).decode
_bare: Final = msgspec.json.Decoder(_Tweet).decode
_PLAIN: Final = Subject("original", None, None)
_KINDS: Final = {"retweeted": "repost", "replied_to": "reply", "quoted": "quote"}
_ORDER: Final = ("repost", "reply", "quote", "original")


def decode_line(value: bytes) -> Post:
    """An object of the filtered stream.  Raises `Unreadable` and what msgspec raises."""
    return _post(_line(value))


def name_line(value: bytes) -> str:
    """The uid that `decode_line` gives.  Raises for most of what it refuses."""
    tweet = _named(value).data
    history = tweet.edit_history_tweet_ids
    return uid_of(history[0] if history else tweet.id)


def decode_bare(value: bytes) -> Post:
    """A `data` object by itself."""
    return _post(_Line(_bare(value)))


def _post(line: _Line) -> Post:
    """The common case, a post that needs nothing of `includes`, is in here with few calls: it is
    most of what is read."""
    tweet, includes = line.data, line.includes
    author, created, conversation = tweet.author_id, tweet.created_at, tweet.conversation_id
    if not author:
        raise Unreadable("field", "author_id is missing: ask X for tweet.fields=author_id")
    if created is None:
        raise Unreadable("created_at", "created_at is missing: ask X for tweet.fields=created_at")
    history = tweet.edit_history_tweet_ids
    first = history[0] if history else tweet.id
    if len(first) > 19 or not (first.isascii() and first.isdigit()):
        uid_of(first)  # says so
    uid = "x:" + first
    kind, parent, subject = "original", None, None
    text, entities, note = tweet.text, tweet.entities, tweet.note_tweet
    if tweet.referenced_tweets:
        kind, parent = _kind(tweet.referenced_tweets)
        if parent is not None:
            about = None if includes is None else _find(includes.tweets, parent)
            if includes is not None and about is not None:
                parent = _first(about)
                if kind == "repost":
                    text, entities, note = about.text, about.entities, about.note_tweet
                    subject = _subject(about, includes)
            parent = uid_of(parent)
    if note is not None:  # the whole of a long post, whose `text` is cut
        text, entities = note.text, note.entities
    if "&" in text:
        text = unescaped(text)
    if kind == "repost" and subject is None:
        text = without_rt(text)
    hashtags: tuple[str, ...] = ()
    if entities is not None:
        if entities.hashtags:
            hashtags = tags([tag.tag for tag in entities.hashtags])
    elif "#" in text or "\uff03" in text:  # X was not asked for entities
        hashtags = tags_in(text)
    post = Post(
        uid,
        "x",
        kind,
        parent,
        None if not conversation else uid if conversation == first else uid_of(conversation),
        author,
        round_seconds.get(created) or iso_ms(created),
        language(tweet.lang),
        None,
        None,
        None,
        None,
        hashtags,
        text,
        subject,
        None,
    )
    if includes is not None:
        _complete(post, author, includes, tweet.geo)
    return post


def _complete(post: Post, author: str, includes: _Includes, geo: _Geo | None) -> None:
    """What `includes` says of the author and the place."""
    for user in includes.users or ():
        if user.id == author:
            post.verified, post.location = user.verified, user.location or None
            if user.public_metrics is not None:
                post.followers = number(user.public_metrics.followers_count)
            break
    if geo is not None:
        post.country = _country(geo, includes.places)
        if post.country is not None:
            post.country_source, post.location = "place", None


def _kind(references: list[_Reference]) -> tuple[str, str | None]:
    """The first that applies of repost, reply, quote; a post may answer one and quote another."""
    best, about = "original", None
    for reference in references:
        kind = _KINDS.get(reference.type)
        if kind is not None and _ORDER.index(kind) < _ORDER.index(best):
            best, about = kind, reference.id
    return best, about


def _subject(about: _Tweet, includes: _Includes) -> Subject:
    if not about.referenced_tweets:
        return _PLAIN
    kind, parent = _kind(about.referenced_tweets)
    if parent is not None:
        known = _find(includes.tweets, parent)
        parent = uid_of(_first(known) if known is not None else parent)
    return Subject(kind, parent, uid_of(about.conversation_id) if about.conversation_id else None)


def _first(tweet: _Tweet) -> str:
    """An edit is the same post: it has the id of its first version."""
    history = tweet.edit_history_tweet_ids
    return history[0] if history else tweet.id


def _find(tweets: list[_Tweet] | None, number: str) -> _Tweet | None:
    for tweet in tweets or ():
        history = tweet.edit_history_tweet_ids
        if tweet.id == number or (history and number in history):
            return tweet
    return None


def _country(geo: _Geo, places: list[_Place] | None) -> str | None:
    for place in places or ():
        if place.id == geo.place_id:
            return country(place.country_code)
    return None
