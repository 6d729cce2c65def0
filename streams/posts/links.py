"""Where a post is read: its address on the platform, from its uid alone."""

from __future__ import annotations

from urllib.parse import quote


def link(uid: str) -> str | None:
    """https address of a post; None where the uid does not say enough: of a status on Mastodon
    whose server is not named, and of a repost on Bluesky, which has no page of its own.

    An address names no author but where the uid does (Bluesky).

    >>> link("x:919659438700670976")
    'https://x.com/i/web/status/919659438700670976'
    """
    platform, _, name = uid.partition(":")
    if platform == "x":
        return f"https://x.com/i/web/status/{quote(name, safe='')}"
    if platform == "facebook":
        return f"https://www.facebook.com/{quote(name, safe='')}"
    if platform == "mastodon":
        host, _, number = name.rpartition("/")
        return (
            f"https://{quote(host, safe=':')}/statuses/{quote(number, safe='')}" if host else None
        )
    if platform == "bluesky":
        did, _, key = name.partition("/")
        if not key or "/" in key:
            return None
        return f"https://bsky.app/profile/{quote(did, safe=':')}/post/{quote(key, safe='')}"
    return None
