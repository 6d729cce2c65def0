"""A post as others see it: on `posts.classified` and from `streams inspect`."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from hashlib import blake2b
from typing import Any, Final, Protocol

from streams.posts.post import Post
from streams.text.fingerprint import text_key

# For `inspect` alone, so that its output is the same everywhere; it hides nobody.
PUBLIC_AUTHOR_KEY: Final = b"streams inspect: public"


class Member(Protocol):
    """A post's place in a campaign; `streams.classify.Membership` is one."""

    @property
    def campaign(self) -> str: ...
    @property
    def via(self) -> str: ...
    @property
    def stance(self) -> str: ...


def hash_author(key: bytes, platform: str, author_id: str) -> bytes:
    """16 bytes of keyed BLAKE2b: the same for the same author, and no way back without the key.

    The key may have up to 64 bytes; longer ones are hashed first.
    """
    digest = _keyed(key).copy()  # 1.2 us; with the key taken in anew 1.8
    digest.update(f"{platform}:{author_id}".encode())
    return digest.digest()


@lru_cache(maxsize=4)
def _keyed(key: bytes) -> blake2b:
    return blake2b(key=key if len(key) <= 64 else blake2b(key).digest(), digest_size=16)


def document(post: Post, campaigns: Iterable[Member], author: str) -> dict[str, Any]:
    """The post as JSON-ready values: no text, of its author the digest (hex) alone."""
    return {
        "uid": post.uid,
        "platform": post.platform,
        "kind": post.kind,
        "parent": post.parent,
        "root": post.root,
        "author": author,
        "created_at": post.created_at,
        "lang": post.lang,
        "country": post.country,
        "country_source": post.country_source,
        "followers": post.followers,
        "verified": post.verified,
        "hashtags": post.hashtags,
        "text_key": text_key(post.text),
        "campaigns": [
            {"campaign": one.campaign, "via": one.via, "stance": one.stance} for one in campaigns
        ],
    }
