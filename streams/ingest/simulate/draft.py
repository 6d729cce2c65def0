"""A post as it is meant, before a platform's format is put on it."""

from __future__ import annotations

from typing import Final, NamedTuple

import msgspec
import orjson

# X ids count ms from here, followed by 22 bits of machine and sequence.
EPOCH_MS: Final = 1288834974657


class Author(NamedTuple):
    id: int
    name: str
    followers: int
    verified: bool
    location: str = ""


class Words(NamedTuple):
    """A text and what its writer means by it."""

    text: str
    tags: tuple[str, ...]  # as spelled, in order
    lang: str
    via: str | None  # how it belongs to the campaign by itself, None where it does not
    stance: str
    style: str = "text"  # text | tags (nothing but hashtags) | media


class Draft(msgspec.Struct, gc=False):
    """Everything that is counted of a post is in here, from its writer's own knowledge."""

    id: int
    created: int  # ms UTC
    author: Author
    words: Words
    kind: str  # original | repost | reply | quote
    about: Draft | None = None  # what a repost or a quote shows
    answers: tuple[int, Author] | None = None  # id and author of what a reply answers
    mentions: Author | None = None  # begins with an @-mention, and is no reply
    conversation: int = 0  # id of the conversation's first post
    country: str | None = None
    via: str | None = None  # how it belongs to the campaign, all in all
    salt: int = 0  # for what does not matter: sources, links, metrics
    wire: str = "und"  # the platform's code of the language
    # As part of other posts, serialised once for a format: a few are in thousands of others.
    v1: orjson.Fragment | None = None
    v2: orjson.Fragment | None = None

    @property
    def shown(self) -> Words:
        """The words that a reader sees: a repost has none of its own."""
        return self.about.words if self.kind == "repost" and self.about else self.words


def snowflake(created: int, serial: int) -> int:
    """An X id: unique for up to 4,194,304 serials."""
    return (created - EPOCH_MS) << 22 | serial & 0x3FFFFF
