"""Ids that carry their time."""

from __future__ import annotations

import pytest

from streams.posts.birth import born_ms


@pytest.mark.parametrize(
    ("uid", "ms"),
    [
        ("x:919659438700670976", 1_508_098_871_289),
        ("x:29700859247", 1_288_834_974_657 + (29_700_859_247 >> 22)),
        ("x:29700859246", None),  # before ids had a time
        ("x:20", None),
        ("x:", None),
        ("x:99999999999999999999", None),
        ("x:-919659438700670976", None),
        ("x:٩١٩", None),
        ("bluesky:did:plc:abc/3juyf2ivz2k2a", 1_683_295_409_404),  # 2023-05-05T14:03:29.404Z
        ("bluesky:did:plc:abc/nonsense", None),
        ("bluesky:did:plc:abc/zzzzzzzzzzzzz", None),  # its top bit is set
        ("mastodon:https://example.org/1", None),
        ("", None),
    ],
)
def test_born(uid: str, ms: int | None) -> None:
    assert born_ms(uid) == ms
