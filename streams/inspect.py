"""What a line would become: without Kafka, Redis or configuration."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import orjson

from streams.classify import Classifier
from streams.posts import Deleted, Ignored, Unreadable, decode
from streams.posts.complete import with_closed_hashtags, with_country, with_language
from streams.posts.output import PUBLIC_AUTHOR_KEY, document, hash_author


def inspect_line(
    line: bytes, classifier: Classifier, *, explain: bool = False, closed: Collection[str] = ()
) -> bytes:
    """One raw record to one line of JSON.

    The decoded, classified post; `{"ignored": reason}` for what is no post; `{"delete": uid}`; or
    `{"error": reason, "detail": ...}` for what would be a dead letter.  Never raises for a record.
    Authors are hashed with a public key, so that the output is the same everywhere.  With `explain`
    the post has one more key: by campaign, which rule decided what, on which of the post's words.
    `closed` are platforms whose hashtags may be `#closed#` (setting `reading.closed_hashtags`).
    """
    return orjson.dumps(_inspect(line, classifier, explain, closed))


def _inspect(
    line: bytes, classifier: Classifier, explain: bool, closed: Collection[str]
) -> dict[str, Any]:
    try:
        found = decode(line)
    except Unreadable as error:
        # What could not be read is quoted in the detail, and may be no valid text itself.
        detail = error.detail.encode("utf-8", "replace").decode()
        return {"error": error.reason, "detail": detail}
    if isinstance(found, Ignored):
        return {"ignored": found.reason}
    if isinstance(found, Deleted):
        return {"delete": found.uid}
    post = with_country(with_language(found))
    if post.platform in closed:
        post = with_closed_hashtags(post)
    author = hash_author(PUBLIC_AUTHOR_KEY, post.platform, post.author_id).hex()
    shown = document(post, classifier.classify(post), author)
    return {**shown, "explain": classifier.explain(post)} if explain else shown
