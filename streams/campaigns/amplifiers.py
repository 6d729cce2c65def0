"""Posts whose author makes a campaign louder: known accounts, and those with many followers."""

from __future__ import annotations

from collections.abc import Iterable

from streams.campaigns.model import Campaign
from streams.posts.post import Post


class Amplifiers:
    """The campaigns' `accounts` and `amplifier_followers`."""

    def __init__(self, campaigns: Iterable[Campaign]) -> None:
        self._least = {found.name: found.amplifier_followers for found in campaigns}
        self._accounts = {found.name: frozenset(found.accounts) for found in campaigns}

    def has(self, campaign: str, post: Post) -> bool:
        """Whether the post's author is one of the campaign's amplifiers."""
        followers = post.followers
        if followers is not None and followers >= self._least[campaign]:
            return True
        accounts = self._accounts[campaign]
        return bool(accounts) and f"{post.platform}:{post.author_id}" in accounts
