"""Bluesky's hashtags: facets, tags beside the text, and the text itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from streams.posts import bluesky
from streams.posts.fields import tags
from streams.posts.post import Post
from tests.posts.samples_bluesky import facet, link, post_line


def post(**fields: Any) -> Post:
    found = bluesky.decode(post_line(**fields), {})
    assert isinstance(found, Post)
    return found


@pytest.mark.parametrize(
    ("fields", "hashtags"),
    [
        # the platform's own tags win over the text's
        ({"text": "#one", "facets": [facet("Two", 0, 4)]}, ("two",)),
        (
            {"text": "a #double#rainbow", "facets": [facet("double#rainbow", 2, 17)]},
            ("double#rainbow",),
        ),
        # in the order of the text, not of the list
        ({"text": "#b #a", "facets": [facet("a", 3, 5), facet("b", 0, 2)]}, ("b", "a")),
        # a link is no tag, and without tags of its own the text counts
        ({"text": "x #One", "facets": [link()]}, ("one",)),
        ({"text": "x #One", "facets": [link(), facet("Two", 2)]}, ("two",)),
        ({"text": "#Ünder &#not #two", "facets": []}, ("ünder", "two")),
        ({"text": "＃一"}, ("一",)),
        ({"text": "none", "facets": None}, ()),
        # tags beside the text come after
        ({"text": "#One", "tags": ["Two", "ONE"]}, ("one", "two")),
        ({"text": "#x", "facets": [facet("B")], "tags": ["c d", "A"]}, ("b", "a")),
        ({"text": "none", "tags": ["MeToo"]}, ("metoo",)),
        # bytes beyond the text, before it, inside a character, in disorder, or not said
        ({"text": "é", "facets": [facet("far", 900, 905)]}, ("far",)),
        ({"text": "é", "facets": [facet("neg", -9, -2)]}, ("neg",)),
        ({"text": "é #tag", "facets": [facet("tag", 1, 3)]}, ("tag",)),
        ({"text": "x", "facets": [facet("tag", 5, 2)]}, ("tag",)),
        ({"text": "x", "facets": [facet("tag", "5", None), facet("b", 2**60)]}, ("tag", "b")),
        ({"text": "x", "facets": [{"features": facet("tag")["features"]}]}, ("tag",)),
        # two features of one place
        ({"text": "#a", "facets": [facet("a") | {"features": facet("a")["features"] * 2}]}, ("a",)),
        # what can be no tag
        ({"text": "x", "facets": [facet(""), facet("#"), facet(5), facet(None)]}, ()),
        ({"text": "x", "facets": [facet("x" * 501), facet("a\x1fb"), facet("ok")]}, ("ok",)),
        ({"text": "x", "facets": [{"features": [{"$type": "org.example#tag", "tag": "a"}]}]}, ()),
    ],
)
def test_hashtags(fields: dict[str, Any], hashtags: tuple[str, ...]) -> None:
    assert post(**fields).hashtags == hashtags


def test_tags_of_the_shared_data(shared_data: Path) -> None:
    cases = json.loads((shared_data / "hashtags/bluesky-tags.json").read_text())["cases"]
    for case in cases:
        if case["tags"]:
            facets = [facet(tag, *at) for tag, at in zip(case["tags"], case["bytes"], strict=True)]
            found = post(text=case["text"], facets=facets).hashtags
            assert found == tuple(dict.fromkeys(tags(case["tags"])))
            assert len(found) == len(set(case["tags"]))
