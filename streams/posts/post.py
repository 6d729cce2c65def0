"""What a record turns out to be: a post, a delete, something else, or nothing that can be read."""

from __future__ import annotations

from typing import Final, NamedTuple, TypeAlias

import msgspec

OLDEST_MS: Final = 1_142_899_200_000  # 2006-03-21, the day of the first post on X


class Subject(NamedTuple):
    """What is known of the post that a repost shows, beside its uid, text and hashtags."""

    kind: str
    parent: str | None
    root: str | None


class Post(msgspec.Struct, gc=False):
    """A post of any platform.

    `author_id` is the platform's own and never leaves the process; see `output.hash_author`.  A
    repost has the text and the hashtags of what it reposts, and everything else of its own.
    """

    uid: str  # "x:919659438700670976"
    platform: str  # x | mastodon | bluesky | facebook
    kind: str  # original | repost | reply | quote
    parent: str | None  # uid of what it reposts, answers or quotes
    root: str | None  # uid of the conversation's first post, where the platform says it
    author_id: str
    created_at: int  # ms UTC, not before `OLDEST_MS`
    lang: str  # BCP 47 primary tag, or "und"
    country: str | None  # ISO 3166-1 alpha-2
    country_source: str | None  # place | profile
    followers: int | None
    verified: bool | None
    hashtags: tuple[str, ...]  # canonical, in order, no repeats
    text: str  # what a reader sees: the long form where there is one, no HTML entities
    subject: Subject | None = None  # of a repost, where the record holds what it reposts
    location: str | None = None  # of the author's profile, where the post itself names no country


class Ignored(msgspec.Struct, gc=False):
    """Not a post and not an error: a control message, a like, an edit."""

    reason: str  # a short label: "limit", "scrub_geo", "user"
    platform: str


class AccountDeleted(Ignored, gc=False):
    """An account that is gone, with all its posts."""

    author_id: str


class Deleted(msgspec.Struct, gc=False):
    """The post's author or the platform took it back."""

    uid: str
    platform: str


#: Why a record cannot be read; that it is from the future only the worker can tell.
UNREADABLE: Final = (
    *("empty", "utf8", "json", "too_deep", "shape", "platform", "field", "created_at"),
)


class Unreadable(Exception):
    """The record is a dead letter.

    `reason` is one of `UNREADABLE` (or future), `detail` a sentence for the operator.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.reason}: {self.detail}"


Decoded: TypeAlias = Post | Ignored | Deleted
