from __future__ import annotations

import pytest

from streams.posts.links import link


@pytest.mark.parametrize(
    ("uid", "address"),
    [
        ("x:919659438700670976", "https://x.com/i/web/status/919659438700670976"),
        ("facebook:20531316728_99", "https://www.facebook.com/20531316728_99"),
        ("mastodon:social.example/1089", "https://social.example/statuses/1089"),
        ("mastodon:social.example:8443/1089", "https://social.example:8443/statuses/1089"),
        ("mastodon:1089", None),
        (
            "bluesky:did:plc:abc/3jzfcijpj2z2a",
            "https://bsky.app/profile/did:plc:abc/post/3jzfcijpj2z2a",
        ),
        ("bluesky:did:plc:abc/repost/3jzfcijpj2z2a", None),
        ("bluesky:did:plc:abc", None),
        ("x:../../evil?a=<b>", "https://x.com/i/web/status/..%2F..%2Fevil%3Fa%3D%3Cb%3E"),
        ("elsewhere:1", None),
    ],
)
def test_link(uid: str, address: str | None) -> None:
    assert link(uid) == address
