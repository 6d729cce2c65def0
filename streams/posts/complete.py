"""What a platform does not say of a post, where it can be told from the post with certainty."""

from __future__ import annotations

import msgspec

from streams.posts.fields import tags
from streams.posts.places import country_of
from streams.posts.post import Post
from streams.text.hashtags import extract_closed
from streams.text.language import detected


def with_language(post: Post) -> Post:
    """The post with the language of its text (25 µs) where its platform names none.

    X names one for every post, and its `und` is an answer.
    """
    if post.lang != "und" or post.platform == "x" or not post.text:
        return post
    lang = detected(post.text)
    return post if lang == "und" else msgspec.structs.replace(post, lang=lang)


def with_country(post: Post) -> Post:
    """The post with the country of its author's profile (30 µs, remembered) where it names none."""
    if post.country is not None or not post.location:
        return post
    land = country_of(post.location)
    if land is None:
        return post
    return msgspec.structs.replace(post, country=land, country_source="profile")


def with_closed_hashtags(post: Post) -> Post:
    """The post with the hashtags between two signs in its text (`#米兔#`), after the others."""
    found = tags(extract_closed(post.text))
    if not found:
        return post
    return msgspec.structs.replace(post, hashtags=tuple(dict.fromkeys((*post.hashtags, *found))))
