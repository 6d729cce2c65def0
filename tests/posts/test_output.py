"""A post as others see it."""

from __future__ import annotations

import orjson

from streams.classify import Membership
from streams.posts import Post, decode
from streams.posts.output import document, hash_author
from tests.posts.samples import v2, v2_line


def sample() -> Post:
    found = decode(v2_line(v2(text="Me too. #MeToo", author_id="424242")))
    assert isinstance(found, Post)
    return found


def test_the_document_is_the_contract_s() -> None:
    text = orjson.dumps(document(sample(), [Membership("metoo", "hashtag", "unclear")], "00" * 16))
    made = orjson.loads(text)
    assert list(made) == [
        *("uid", "platform", "kind", "parent", "root", "author", "created_at", "lang", "country"),
        *("country_source", "followers", "verified", "hashtags", "text_key", "campaigns"),
    ]
    assert made["campaigns"] == [{"campaign": "metoo", "via": "hashtag", "stance": "unclear"}]
    assert made["hashtags"] == ["metoo"]
    assert len(bytes.fromhex(made["text_key"])) == 8
    assert b"424242" not in text
    assert b"Me too" not in text


def test_authors_are_told_apart_by_key_platform_and_id() -> None:
    one = hash_author(b"key", "x", "1")
    assert one == hash_author(b"key", "x", "1")
    others = [
        ("key", "x", "2"),
        ("key", "mastodon", "1"),
        ("other", "x", "1"),
        ("k" * 65, "x", "1"),
    ]
    assert one not in [hash_author(key.encode(), platform, id_) for key, platform, id_ in others]
    assert len(one) == 16
