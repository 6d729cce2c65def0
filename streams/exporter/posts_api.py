"""`/api/v1/posts`: posts of the campaigns, newest first, as people read them.

Never an author; text only where it is kept.
"""

from __future__ import annotations

import asyncio
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any, Final, cast

import msgspec
from starlette.requests import Request

from streams.exporter.api import canonical_tag
from streams.exporter.endpoints import Endpoint
from streams.exporter.models import Posts, ReadPost
from streams.exporter.parameters import PostsQuery
from streams.exporter.problems import Problem
from streams.kept import Keeping, KeptPost
from streams.posts.links import link
from streams.store.posts import Cursor, PostReader
from streams.store.reads import Reader
from streams.text.search import Search

_AT_ONCE: Final = 4  # reads of Redis; who asks meanwhile waits

_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(Cursor).decode


class PostsApi:
    """Answers from the kept posts."""

    def __init__(self, reader: Reader, keeping: Keeping) -> None:
        self._posts = PostReader(reader, keeping)
        self._keeping = keeping
        self._gate = asyncio.Semaphore(_AT_ONCE)

    def endpoints(self) -> list[Endpoint]:
        return [
            Endpoint(
                "/posts",
                "The newest posts of campaigns",
                PostsQuery,
                self.posts,
                Posts,
                guarded=True,
            )
        ]

    async def posts(self, _: Request, query: PostsQuery) -> Posts:
        """One page."""
        search = None
        if query.words is not None:
            if not self._keeping.text:
                raise Problem(400, "words: texts are not kept here (privacy.keep_text)")
            search = Search(query.words)
            if not search:
                raise Problem(400, "words: no word in it")
        lang = None if query.lang is None else query.lang.lower()

        def wanted(post: KeptPost) -> bool:
            return (
                lang in (None, post.lang)
                and query.platform in (None, post.platform)
                and query.via in (None, post.via)
                and query.stance in (None, post.stance)
                and (search is None or (post.text is not None and search.matches(post.text)))
            )

        async with self._gate:
            page = await self._posts.page(
                campaign=query.campaign,
                hashtag=None if query.hashtag is None else canonical_tag(query.hashtag),
                wanted=wanted,
                after=None if query.before is None else _cursor(query.before),
                limit=query.limit,
            )
        return {
            "posts": [self._document(post) for post in page.posts],
            "next": None if page.after is None else _opaque(page.after),
        }

    def _document(self, post: KeptPost) -> ReadPost:
        document: dict[str, Any] = {
            "uid": post.uid,
            "link": link(post.uid),
            "time": post.created_at,
            "lang": post.lang,
            "platform": post.platform,
            "kind": post.kind,
            "campaign": post.campaign,
            "via": post.via,
            "stance": post.stance,
            "hashtags": list(post.hashtags),
        }
        if self._keeping.text and post.text is not None:
            document["text"] = post.text
        return cast("ReadPost", document)


def _opaque(cursor: Cursor) -> str:
    return urlsafe_b64encode(_encode(cursor)).decode().rstrip("=")


def _cursor(text: str) -> Cursor:
    """Raises `Problem` for what was never handed out."""
    try:
        cursor = _decode(urlsafe_b64decode(text.encode() + b"=" * (-len(text) % 4)))
    except (ValueError, msgspec.MsgspecError):
        raise Problem(400, "before: `next` of a page that was sent") from None
    if not (0 <= cursor.created_at < 1 << 53 and 0 <= cursor.passed < 1 << 53):
        raise Problem(400, "before: `next` of a page that was sent")
    return cursor
