"""The newest posts of each campaign and hashtag, as Redis keeps them: who reads statements by
hashtag reads these.  Pure.

A campaign's posts stand in lists: one for each campaign hashtag that a post carries, and one for
the posts without any; so a list of a rare hashtag is not pushed out by a common one's.  A list is a
sorted set of chunks by minute of `created_at`, and a chunk what one batch adds to one minute: the
beginning of a JSON array, `[[offset,posts],[post],[post],`.  A batch costs Redis one ZADD
a list and minute, however many posts it has.

A post is `[created_at, uid, lang, via, stance, kind, author, hashtags]` with the numbers of `VIAS`,
`STANCES`, `KINDS`, the author's digest (it never leaves, and is there to find the posts of an
author who wants to be forgotten), and the text as a ninth where `privacy.keep_text` says so.  A
post that was taken out leaves `[created_at]`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from streams.keys import US
from streams.retention import HOUR_MS

if TYPE_CHECKING:
    from streams.increments import Counted

#: Names by number.  Stored numbers depend on the order: new names come last.
VIAS: Final = ("hashtag", "phrase", "call", "reply", "repost")
STANCES: Final = ("testimony", "support", "call", "news", "opposition", "spam", "unclear")
KINDS: Final = ("original", "repost", "reply", "quote")
#: Characters of a text, and hashtags of a post, that are kept.
LONGEST_TEXT: Final = 2_000
MOST_HASHTAGS: Final = 16

_MINUTE_MS: Final = 60_000
_NOWHERE: Final = ("",)  # the list of posts without a campaign hashtag
_VIA: Final = {name: number for number, name in enumerate(VIAS)}
_STANCE: Final = {name: number for number, name in enumerate(STANCES)}
_KIND: Final = {name: number for number, name in enumerate(KINDS)}
_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(list[list[Any]]).decode


class Keeping(NamedTuple):
    """What is kept: the newest posts (0: none) of a list, for so long (ms), with their text?"""

    newest: int = 10_000
    age_ms: int = 24 * HOUR_MS
    text: bool = False


class Chunk(NamedTuple):
    """What a batch adds to a minute (since 1970) of a list."""

    list: str
    minute: int
    posts: int
    content: bytes


class Kept(NamedTuple):
    """What a batch keeps: chunks, the oldest minute worth keeping, and when (ms) the watermark has
    passed all of a list that nobody adds to."""

    newest: int
    oldest: int
    gone: int
    chunks: list[Chunk]

    def arguments(self) -> list[str | int | bytes]:
        """For the commit's script, see `lua/keep.lua`."""
        found: list[str | int | bytes] = [self.newest, self.oldest, self.gone]
        for chunk in self.chunks:
            found += chunk
        return found


class _Row(msgspec.Struct, array_like=True, frozen=True, gc=False):
    """A post as it stands in a chunk; one that was taken out has its time only."""

    created_at: int
    uid: str = ""
    lang: str = "und"
    via: int = 0
    stance: int = 0
    kind: int = 0
    author: str = ""
    hashtags: tuple[str, ...] = ()
    text: str | None = None


class KeptPost(NamedTuple):
    """A post as it was kept, in a campaign; without a uid it was taken out."""

    row: _Row
    campaign: str

    @property
    def created_at(self) -> int:
        """ms."""
        return self.row.created_at

    @property
    def uid(self) -> str:
        return self.row.uid

    @property
    def platform(self) -> str:
        return self.row.uid.partition(":")[0]

    @property
    def lang(self) -> str:
        return self.row.lang

    @property
    def via(self) -> str:
        return VIAS[self.row.via]

    @property
    def stance(self) -> str:
        return STANCES[self.row.stance]

    @property
    def kind(self) -> str:
        return KINDS[self.row.kind]

    @property
    def author(self) -> str:
        """Its digest in hex: never shown."""
        return self.row.author

    @property
    def hashtags(self) -> tuple[str, ...]:
        return self.row.hashtags

    @property
    def text(self) -> str | None:
        return self.row.text


_rows: Final = msgspec.json.Decoder(list[_Row]).decode


def list_name(campaign: str, tag: str) -> str:
    """`tag` is empty for posts without a campaign hashtag."""
    return f"{campaign}{US}{tag}"


def keep(
    counted: Iterable[Counted],
    *,
    first: int,
    watermark: int | None,
    keeping: Keeping,
    is_campaign_tag: Callable[[str], bool],
) -> Kept | None:
    """What is kept of a batch's counted posts.

    `first` is the offset of the batch's first record, `watermark` (ms) the partition's after it.
    """
    if not keeping.newest or watermark is None:
        return None
    oldest_ms = watermark - keeping.age_ms
    rows: dict[tuple[str, str, int], list[Any]] = {}
    own: dict[str, bool] = {}  # whether a hashtag is a campaign's
    for _record, post, campaigns, author in counted:
        created = post.created_at
        if created <= oldest_ms:
            continue
        minute, hashtags = created // _MINUTE_MS, post.hashtags
        homes = []
        for tag in hashtags:
            if tag not in own:
                own[tag] = is_campaign_tag(tag)
            if own[tag]:
                homes.append(tag)
        if len(hashtags) > MOST_HASHTAGS:
            hashtags = hashtags[:MOST_HASHTAGS]
        for campaign, via, stance in campaigns:
            row: tuple[Any, ...] = (
                *(created, post.uid, post.lang, _VIA[via], _STANCE[stance], _KIND[post.kind]),
                *(author, hashtags),
            )
            if keeping.text:
                row = (*row, post.text[:LONGEST_TEXT])
            for tag in homes or _NOWHERE:
                place = (campaign, tag, minute)
                if place in rows:
                    rows[place].append(row)
                else:
                    rows[place] = [row]
    if not rows:
        return None
    chunks = [
        Chunk(
            list_name(campaign, tag),
            minute,
            len(posts),
            _encode([(first, len(posts)), *posts])[:-1] + b",",
        )
        for (campaign, tag, minute), posts in rows.items()
    ]
    gone = watermark + keeping.age_ms + _MINUTE_MS
    return Kept(keeping.newest, oldest_ms // _MINUTE_MS, gone, chunks)


def posts_of(content: bytes, campaign: str) -> list[KeptPost]:
    """The posts of a chunk of a campaign's list."""
    head = content.index(b"]") + 2
    return [KeptPost(row, campaign) for row in _rows(b"[" + content[head:-1] + b"]")]


def without(content: bytes, leaves: Callable[[str, str], bool]) -> tuple[bytes, set[str]]:
    """A chunk without the posts for which `leaves(uid, author)` holds, and the uids of those."""
    head, *rows = _decode(content[:-1] + b"]")
    taken = {row[1] for row in rows if len(row) > 1 and leaves(row[1], row[6])}
    left = [row[:1] if len(row) > 1 and row[1] in taken else row for row in rows]
    return _encode([head, *left])[:-1] + b",", taken


def author_name(author: str) -> str:
    """What stands for an author (digest in hex) where uids of deleted posts stand."""
    return f"author:{author}"
