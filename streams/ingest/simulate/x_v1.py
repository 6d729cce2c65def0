"""Posts as X's v1.1 streaming API sent them (statuses/filter, `tweet_mode=compat`)."""

from __future__ import annotations

from typing import Any

import orjson

from streams.ingest.simulate.draft import Author, Draft
from streams.ingest.simulate.x_common import (
    TWEET,
    classic_date,
    full_text,
    shortened,
    tag_spans,
)


def record(draft: Draft) -> dict[str, Any]:
    """The whole line: a status with what only the outermost one has."""
    line = _status(draft)
    line["filter_level"] = "low"
    line["timestamp_ms"] = str(draft.created)
    return line


def _status(draft: Draft, *, nested: bool = False) -> dict[str, Any]:
    about = draft.about
    reposted = about if draft.kind == "repost" else None
    quoted = about if draft.kind == "quote" else None
    if reposted is not None:
        text = f"RT @{reposted.author.name}: {full_text(reposted)}"
        tags = reposted.words.tags
    else:
        text, tags = full_text(draft), draft.words.tags
    answers = draft.answers
    to = answers[1] if answers else draft.mentions
    status: dict[str, Any] = {
        "created_at": classic_date(draft.created // 1000),
        "id": draft.id,
        "id_str": str(draft.id),
        "text": text,
        "source": '<a href="http://example.org/app" rel="nofollow">app</a>',
        "truncated": False,
        "in_reply_to_status_id": answers[0] if answers else None,
        "in_reply_to_status_id_str": str(answers[0]) if answers else None,
        "in_reply_to_user_id": to.id if to else None,
        "in_reply_to_user_id_str": str(to.id) if to else None,
        "in_reply_to_screen_name": to.name if to else None,
        "user": _user(draft.author),
        "geo": None,
        "coordinates": None,
        "place": _place(draft.country) if draft.country else None,
        "contributors": None,
        "is_quote_status": quoted is not None
        or (reposted is not None and reposted.kind == "quote"),
        "quote_count": 0,
        "reply_count": 0,
        "retweet_count": 0,
        "favorite_count": 0,
        "entities": _entities(text, tags, to),
        "favorited": False,
        "retweeted": False,
        "lang": draft.wire if draft.wire[0] != "q" else "und",  # the q… codes came with v2
    }
    if len(text) > TWEET:
        if reposted is not None:  # a repost is cut, but not marked as such
            status["text"] = shortened(text, TWEET)
        else:
            status["text"] = f"{shortened(text, TWEET - 24)} https://t.co/{draft.salt:010x}"
            status["truncated"] = True
            status["extended_tweet"] = {
                "full_text": text,
                "display_text_range": [0, len(text)],
                "entities": status["entities"],
            }
        status["entities"] = _entities(status["text"], tags, to)
    if reposted is not None:
        status["retweeted_status"] = _nested(reposted)
    if quoted is not None:
        status["quoted_status_id"] = quoted.id
        status["quoted_status_id_str"] = str(quoted.id)
        if not nested:
            status["quoted_status"] = _nested(quoted)
    return status


def _nested(draft: Draft) -> orjson.Fragment:
    if draft.v1 is None:
        draft.v1 = orjson.Fragment(orjson.dumps(_status(draft, nested=True)))
    return draft.v1


def _entities(text: str, tags: tuple[str, ...], to: Author | None) -> dict[str, Any]:
    mentions = []
    if to is not None:
        mentions.append(
            {
                "screen_name": to.name,
                "name": to.name,
                "id": to.id,
                "id_str": str(to.id),
                "indices": [0, len(to.name) + 1],
            }
        )
    return {
        "hashtags": [
            {"text": tag, "indices": [start, end]} for tag, start, end in tag_spans(text, tags)
        ],
        "urls": [],
        "user_mentions": mentions,
        "symbols": [],
    }


def _user(author: Author) -> dict[str, Any]:
    return {
        "id": author.id,
        "id_str": str(author.id),
        "name": author.name,
        "screen_name": author.name,
        "location": author.location or None,
        "protected": False,
        "verified": author.verified,
        "followers_count": author.followers,
        "friends_count": author.id % 900,
        "lang": "en",
    }


def _place(country: str) -> dict[str, Any]:
    return {
        "id": f"place-{country}",
        "place_type": "city",
        "name": f"Town of {country}",
        "full_name": f"Town of {country}",
        "country_code": country,
        "country": country,
    }
