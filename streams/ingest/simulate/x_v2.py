"""Posts as X's v2 filtered stream sends them, with users, places and posts in `includes`."""

from __future__ import annotations

from typing import Any, Final

import orjson

from streams.ingest.simulate.draft import Author, Draft
from streams.ingest.simulate.x_common import (
    TWEET,
    full_text,
    iso_date,
    shortened,
    tag_spans,
)

NOTE: Final = 280  # longer ones come whole in `note_tweet`


def record(draft: Draft) -> dict[str, Any]:
    """The whole line."""
    includes: dict[str, Any] = {"users": [_user(draft.author)]}
    about = draft.about
    if about is not None:
        if about.author.id != draft.author.id:
            includes["users"].append(_user(about.author))
        includes["tweets"] = [_included(about)]
    if draft.country:
        includes["places"] = [_place(draft.country)]
    return {
        "data": _tweet(draft),
        "includes": includes,
        "matching_rules": [{"id": "1166916266197536768", "tag": "metoo"}],
    }


def _tweet(draft: Draft) -> dict[str, Any]:
    about = draft.about
    references: list[dict[str, str]] = []
    text, tags = full_text(draft), draft.words.tags
    if draft.kind == "repost" and about is not None:
        text = f"RT @{about.author.name}: {full_text(about)}"
        if len(text) > TWEET:  # the whole text is in includes
            text = shortened(text, TWEET)
        tags = about.words.tags
        references.append({"type": "retweeted", "id": str(about.id)})
    if draft.kind == "quote" and about is not None:
        references.append({"type": "quoted", "id": str(about.id)})
    if draft.answers is not None:
        references.append({"type": "replied_to", "id": str(draft.answers[0])})
    number = str(draft.id)
    tweet: dict[str, Any] = {
        "id": number,
        "text": text,
        "author_id": str(draft.author.id),
        "created_at": iso_date(draft.created),
        "lang": draft.wire,
        "conversation_id": str(draft.conversation),
        "edit_history_tweet_ids": [number],
        "possibly_sensitive": False,
        "reply_settings": "everyone",
        "public_metrics": {"retweet_count": 0, "reply_count": 0, "like_count": 0, "quote_count": 0},
    }
    if references:
        tweet["referenced_tweets"] = references
    if len(text) > NOTE and draft.kind != "repost":
        tweet["note_tweet"] = {"text": text, "entities": _entities(text, tags)}
        text = tweet["text"] = shortened(text, NOTE)
    entities = _entities(text, tags)
    to = draft.answers[1] if draft.answers else draft.mentions
    if to is not None:
        entities["mentions"] = [
            {"start": 0, "end": len(to.name) + 1, "username": to.name, "id": str(to.id)}
        ]
        tweet["in_reply_to_user_id"] = str(to.id)
    if entities:
        tweet["entities"] = entities
    if draft.country:
        tweet["geo"] = {"place_id": f"place-{draft.country}"}
    return tweet


def _included(draft: Draft) -> orjson.Fragment:
    if draft.v2 is None:
        draft.v2 = orjson.Fragment(orjson.dumps(_tweet(draft)))
    return draft.v2


def _entities(text: str, tags: tuple[str, ...]) -> dict[str, Any]:
    spans = tag_spans(text, tags)
    if not spans:
        return {}
    return {"hashtags": [{"start": start, "end": end, "tag": tag} for tag, start, end in spans]}


def _user(author: Author) -> dict[str, Any]:
    user: dict[str, Any] = {
        "id": str(author.id),
        "name": author.name,
        "username": author.name,
        "verified": author.verified,
        "public_metrics": {
            "followers_count": author.followers,
            "following_count": author.id % 900,
            "tweet_count": author.id % 7000,
            "listed_count": 0,
        },
    }
    if author.location:
        user["location"] = author.location
    return user


def _place(country: str) -> dict[str, Any]:
    return {
        "id": f"place-{country}",
        "full_name": f"Town of {country}",
        "country": country,
        "country_code": country,
        "place_type": "city",
    }
