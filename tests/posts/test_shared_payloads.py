"""What servers have really sent: the payloads that lie beside the repository.

Written by hand, from the bodies, their platforms' documentation and the settled cases of a post.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import orjson
import pytest

from streams.posts import Decoded, Deleted, Ignored, Post, Subject, Unreadable, decode

# A post by some of its fields; ("ignored", reason); ("deleted", id); ("error", reason).
Expected = dict[str, Any] | tuple[str, str]

LOCAL: Final = "http://localhost:3000/@"

MASTODON: Final[dict[str, Expected]] = {
    # a status; the same one as a page of a timeline; the answer to its delete
    "test_hashtag_tl.0": {
        **{"uid": "mastodon:117020593741189701", "kind": "original", "parent": None, "root": None},
        **{"author_id": LOCAL + "mastodonpy_test_2", "created_at": 1785592555867, "lang": "ja"},
        **{"followers": 0, "verified": None, "country": None, "country_source": None},
        **{"hashtags": ("hoot",), "text": "#hoot (hashtag toot)", "subject": None},
    },
    "test_hashtag_tl.2": ("error", "shape"),
    "test_hashtag_tl.3": ("deleted", "117020593741189701"),
    "test_home_tl.0": {"kind": "original", "text": "Toot!", "lang": "en", "hashtags": ()},
    "test_home_tl.1": ("error", "shape"),
    "test_public_tl_anonymous.0": {"text": "Toot, finally!", "created_at": 1785592546609},
    "test_id_hook_in_reply_to.0": {"uid": "mastodon:117020574386452629", "kind": "original"},
    "test_id_hook_in_reply_to.1": {
        **{"uid": "mastodon:117020574393907247", "kind": "reply", "text": "Reply!"},
        "parent": "mastodon:117020574386452629",
    },
    "test_id_hook_in_reply_to.2": ("deleted", "117020574393907247"),
    "test_id_hook_within_reblog.1": {
        **{"uid": "mastodon:117020574424543529", "kind": "repost", "lang": "en", "text": "Toot!"},
        **{"parent": "mastodon:117020574416668515", "created_at": 1785592261118},
        "subject": Subject("original", None, None),
    },
    "test_id_hook_within_reblog.2": ("deleted", "117020574424543529"),
    "test_polls.0": {"author_id": LOCAL + "admin", "text": "nice"},
    "test_status_card.1": {"text": "http://example.org/", "hashtags": ()},
    # an edit is the same post
    "test_status_edit.0": {"uid": "mastodon:117020586180926938", "created_at": 1785592440505},
    "test_status_edit.2": {"uid": "mastodon:117020586180926938", "created_at": 1785592440505},
    "test_status_post_with_quote.1": {
        **{"uid": "mastodon:117020582925004921", "kind": "quote", "text": "yoooooooo"},
        "parent": "mastodon:117020582917124092",
    },
    "test_status_post_with_quote.2": ("deleted", "117020582925004921"),
    "test_status_reblog_visibility.1": ("ignored", "private"),
    "test_status_reblog_visibility.2": ("ignored", "private"),
    # another boosts what is public, unlisted
    "test_status_reblog_visibility.3": {
        **{"kind": "repost", "parent": "mastodon:117020585755087661", "lang": "ja"},
        "author_id": LOCAL + "mastodonpy_test_2",
    },
    # taking a boost back is answered with what was boosted
    "test_status_reblog_unreblog.2": {"uid": "mastodon:117020586019094258", "kind": "original"},
    "test_status_reply.2": {
        **{"kind": "reply", "parent": "mastodon:117020583245459824", "lang": "en"},
        **{"text": "@mastodonpy_test_2 same!", "author_id": LOCAL + "admin"},
    },
    "test_stream_direct.4": ("ignored", "private"),
    "test_stream_direct.5": {"text": "you can't say that on television", "followers": 1},
    "test_stream_user_direct.8": ("ignored", "private"),
    "test_followed_hashtags.0": ("error", "shape"),
    "test_trending_tags.0": ("error", "shape"),
}

PAGE: Final = "1234567890321"

FACEBOOK: Final[dict[str, Expected]] = {
    # the Graph API
    "post-with-normal-comments": {
        **{"uid": "facebook:1234", "kind": "original", "author_id": "4132", "lang": "und"},
        **{"created_at": 1284504085000, "text": "hello world!", "hashtags": (), "parent": None},
        **{"followers": None, "verified": None, "country": None, "root": None},
    },
    "post-with-empty-comments": {"uid": "facebook:1234"},
    "post-with-likes-v1": ("error", "shape"),
    "story": ("error", "shape"),
    "tags": ("error", "shape"),
    "v2_1/feed-got": ("error", "shape"),
    "v2_1/post-emptyarray": ("error", "field"),
    "v2_1/post-group": {"author_id": "123456789", "text": "", "created_at": 1398278033000},
    "v2_1/post-portoguese": {
        **{"uid": "facebook:322924298222_10152778302763223", "author_id": "100003135801815"},
        **{"kind": "original", "lang": "und", "created_at": 1411914360000},
    },
    "v2_1/post-messagetags": ("ignored", "private"),
    "v2_1/post-story": ("ignored", "private"),
    "v2_3/post-feedtargeting-issue262": {"kind": "original", "author_id": "62890207681"},
    "v2_3/post-attachments": {"author_id": "1234567891234", "text": "Test"},
    "v2_3/post-ishidden": {"uid": "facebook:12345678_987654321", "kind": "original"},
    "v2_5/post-scheduled": ("ignored", "unpublished"),
    "v2_6/post-with-storyAndMessageTags": ("error", "created_at"),
    # webhooks
    "webhooks/feed-status-add-25": {
        **{"uid": f"facebook:{PAGE}_930145403745849", "kind": "original", "author_id": PAGE},
        **{"created_at": 1448633038000, "text": "This is just a short test message"},
        **{"lang": "und", "hashtags": (), "parent": None, "root": None},
    },
    "webhooks/feed-status-edited-25": ("ignored", "edit"),
    "webhooks/feed-status-hide-25": ("deleted", f"{PAGE}_7293787835232"),
    "webhooks/feed-status-unhide": ("ignored", "unhide"),
    # by a visitor; its time is that of the webhook
    "webhooks/feed-post-add-25": {"author_id": "8423678347823", "created_at": 1454707020000},
    "webhooks/feed-post-edit": ("ignored", "edit"),
    "webhooks/feed-post-remove-25": ("deleted", f"{PAGE}_901097836652708"),
    "webhooks/feed-photo-add-25": {"uid": f"facebook:{PAGE}_900767076685784", "text": ""},
    "webhooks/feed-photo-add-message": {"text": "A new really great Photo", "kind": "original"},
    "webhooks/feed-photo-remove-25": ("deleted", f"{PAGE}_900767076685784"),
    "webhooks/feed-video-add": {"text": "Test video", "created_at": 1549627082000},
    "webhooks/feed-video-block": ("ignored", "block"),
    "webhooks/feed-video-remove-25": ("deleted", f"{PAGE}_900767076685784"),
    "webhooks/feed-share-add-25": {
        **{"uid": f"facebook:{PAGE}_98735342324352", "kind": "repost", "parent": None},
        **{"text": "Ein Link zu was ganz anderem: www.daserste.de", "created_at": 1460111843000},
    },
    "webhooks/feed-share-hide": ("deleted", f"{PAGE}_98735342324352"),
    "webhooks/feed-comment-add-211": {
        **{"uid": "facebook:901097836652708_903438993085259", "kind": "reply", "author_id": PAGE},
        **{"parent": f"facebook:{PAGE}_901097836652708", "text": "and the next one"},
        **{"root": f"facebook:{PAGE}_901097836652708", "created_at": 1449135003000},
    },
    # `sender_id`, as it was until v2.11
    "webhooks/feed-comment-add-25": {"author_id": PAGE, "kind": "reply"},
    "webhooks/feed-comment-edited-25": ("ignored", "edit"),
    "webhooks/feed-comment-hide": ("deleted", "900728623356296_900744590021366"),
    "webhooks/feed-comment-remove-25": ("deleted", "905578656204626_905579239537901"),
    "webhooks/feed-comment-unhide": ("ignored", "unhide"),
    "webhooks/feed-album-add": ("ignored", "album"),
    "webhooks/feed-event-add": ("ignored", "event"),
    "webhooks/feed-like-add-page-25": ("ignored", "like"),
    "webhooks/feed-like-remove-25": ("ignored", "like"),
    "webhooks/feed-reaction-add-reply": ("ignored", "reaction"),
    "webhooks/feed-reaction-edit": ("ignored", "reaction"),
    "webhooks/feed-two-entries-25": ("error", "shape"),
}

X: Final[dict[str, Expected]] = {
    "limit": ("ignored", "limit"),
    "scrub-geo": ("ignored", "scrub_geo"),
    "friends-list": ("ignored", "friends"),
    "disconnect-message": ("ignored", "disconnect"),
    "direct-message-delete": ("ignored", "direct_message"),
    "status-deletion": ("deleted", "1234"),
    "user": ("ignored", "user"),
    "status": ("error", "field"),
}

CASES: Final = [
    *(("mastodon", f"mastodon/bodies/{name}.json", what) for name, what in MASTODON.items()),
    *(("facebook", f"facebook/{name}.json", what) for name, what in FACEBOOK.items()),
    *(("x", f"x-v1.1-control/{name}.json", what) for name, what in X.items()),
]

# What the user's own stream said while the tests of the client library ran.
EVENTS: Final = [
    ("test_stream_user_direct.12", "update", {"text": "only real cars respond.", "lang": "ja"}),
    ("test_stream_user_direct.12", "notification", ("ignored", "notification")),
    ("test_stream_user_direct.12", "update", ("ignored", "private")),
    ("test_stream_user_direct.12", "notification", ("ignored", "notification")),
    ("test_stream_user_direct.12", "status.update", ("ignored", "edit")),
    ("test_stream_user_direct.12", "delete", ("deleted", "117024236332527350")),
    ("test_stream_direct.6", "conversation", ("ignored", "conversation")),
    ("test_stream_user_direct.11", "conversation", ("ignored", "conversation")),
    ("test_stream_user_direct.11", "conversation", ("ignored", "conversation")),
    ("test_stream_user_local.5", "update", {"uid": "mastodon:117024248092393661"}),
]


def outcome(record: bytes, header: str | None) -> Post | tuple[str, str]:
    found: Decoded
    try:
        found = decode(record, header)
    except Unreadable as error:
        return "error", error.reason
    if isinstance(found, Ignored):
        return "ignored", found.reason
    return ("deleted", found.uid.partition(":")[2]) if isinstance(found, Deleted) else found


def check(record: bytes, platform: str, expected: Expected, header: str | None) -> None:
    found = outcome(record, header)
    if isinstance(found, Post) and isinstance(expected, dict):
        assert {name: getattr(found, name) for name in expected} == expected
        assert found.platform == platform
        assert found.uid.startswith(f"{platform}:")
    else:
        assert found == expected


@pytest.mark.parametrize(
    ("platform", "path", "expected"), CASES, ids=[path for _, path, _ in CASES]
)
def test_a_body(shared_data: Path, platform: str, path: str, expected: Expected) -> None:
    record = (shared_data / "payloads" / path).read_bytes()
    check(record, platform, expected, None)


@pytest.mark.parametrize(
    ("platform", "path", "expected"), CASES, ids=[path for _, path, _ in CASES]
)
def test_a_body_by_its_header(
    shared_data: Path, platform: str, path: str, expected: Expected
) -> None:
    if path == "facebook/post-with-likes-v1.json" or path == "facebook/story.json":
        expected = ("error", "field")  # of Facebook it can only be a post without an id
    check((shared_data / "payloads" / path).read_bytes(), platform, expected, platform)


def events(path: Path) -> list[tuple[str, str]]:
    """Name and data of each event of a stream of server-sent events."""
    found = []
    for block in path.read_text().split("\n\n"):
        fields = dict(part.split(": ", 1) for part in block.splitlines() if part[:1] not in ":")
        if fields:
            found.append((fields["event"], fields["data"]))
    return found


def test_streams_of_events(shared_data: Path) -> None:
    folder = shared_data / "payloads/mastodon/bodies"
    seen: dict[str, list[tuple[str, str]]] = {}
    for name, kind, expected in EVENTS:
        if name not in seen:
            seen[name] = events(folder / f"{name}.sse")
        event, data = seen[name].pop(0)
        assert event == kind
        for payload in (data, orjson.Fragment(data)):  # as text, and as JSON
            record = orjson.dumps({"stream": ["user"], "event": event, "payload": payload})
            check(record, "mastodon", expected, None)
            check(record, "mastodon", expected, "mastodon")
    assert not any(seen.values())


def test_no_body_ends_otherwise(shared_data: Path) -> None:
    """Each is something, or an error of those that the bodies of servers may be."""
    for folder in ("mastodon", "facebook", "x-v1.1-control"):
        paths = sorted((shared_data / "payloads" / folder).rglob("*.json"))
        assert paths
        for path in paths:
            found = outcome(path.read_bytes(), None)
            if isinstance(found, Post):
                assert found.platform == folder
            elif found[0] == "error":
                assert found[1] in {"shape", "field", "created_at"}
