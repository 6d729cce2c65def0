"""What a post inherits from the post that it reposts or answers, where the platform sends only its
uid.  Pure; the store is `streams.store.kinship`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

import msgspec

from streams.classify import Classifier, Membership
from streams.posts import Post

#: Platforms whose reposts and replies come without their subject.
PLATFORMS: Final = frozenset({"bluesky"})


class Heritage(NamedTuple):
    """Hashtags and campaigns of a subject."""

    hashtags: tuple[str, ...]
    campaigns: tuple[Membership, ...]


#: By index of a candidate.
Inherited = Mapping[int, Heritage]
NOTHING: Final[Inherited] = {}


def is_heir(post: Post) -> bool:
    """A repost, or a reply without hashtags of its own, whose subject was not sent along."""
    if post.platform not in PLATFORMS or post.parent is None or post.subject is not None:
        return False
    return post.kind == "repost" or (post.kind == "reply" and not post.hashtags)


def leaves_something(post: Post, campaigns: tuple[Membership, ...]) -> bool:
    """Whether a post has anything that its reposts and replies could inherit."""
    if post.platform not in PLATFORMS or post.kind == "repost":
        return False
    return bool(post.hashtags or campaigns)


def inherit(
    post: Post, heritage: Heritage, classifier: Classifier
) -> tuple[Post, tuple[Membership, ...]]:
    """An heir with its subject's hashtags, and its campaigns.

    A repost belongs where its subject does, and says what it says.  A reply speaks for itself: it
    keeps its own stance, and belongs to the campaign through the hashtag, or else as a reply.
    Nothing is inherited from a campaign that has ended since.
    """
    campaigns = [m for m in heritage.campaigns if m.campaign in classifier.names]
    heir = msgspec.structs.replace(post, hashtags=heritage.hashtags)
    if post.kind == "repost":
        return heir, tuple(
            Membership(m.campaign, "hashtag" if m.via == "hashtag" else "repost", m.stance)
            for m in campaigns
        )
    own = classifier.classify(heir)
    names = {membership.campaign for membership in own}
    rest = [m for m in campaigns if m.campaign not in names]
    return heir, (*own, *(Membership(m.campaign, "reply", "unclear") for m in rest))
