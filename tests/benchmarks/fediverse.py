"""Posts as Mastodon's and Facebook's servers send them, from the same drafts as the others."""

from __future__ import annotations

from html import escape
from typing import Any

import orjson

from streams.ingest.simulate.draft import Draft
from streams.ingest.simulate.x_common import iso_date


def mastodon(draft: Draft) -> bytes:
    """A status as the streaming API sends it, about 2 kB."""
    name = f"user{draft.author.id}"
    url = f"https://social.example/@{name}"
    content = escape(draft.words.text)
    for tag in draft.words.tags:
        link = f'<a href="https://social.example/tags/{tag}" class="mention hashtag" rel="tag">'
        content = content.replace(f"#{tag}", f"{link}#<span>{tag}</span></a>", 1)
    status: dict[str, Any] = {
        "id": str(draft.id),
        "uri": f"https://social.example/users/{name}/statuses/{draft.id}",
        "url": f"{url}/{draft.id}",
        "created_at": iso_date(draft.created),
        "in_reply_to_id": None if draft.answers is None else str(draft.answers[0]),
        "in_reply_to_account_id": None,
        "sensitive": False,
        "spoiler_text": "",
        "visibility": "public",
        "language": None if draft.words.lang == "und" else draft.words.lang,
        "content": f"<p>{content}</p>",
        "reblog": None,
        "application": {"name": "Web", "website": None},
        "account": {
            "id": str(draft.author.id),
            "username": name,
            "acct": name,
            "display_name": draft.author.name,
            "url": url,
            "uri": f"https://social.example/users/{name}",
            "note": "<p>about</p>",
            "followers_count": draft.author.followers,
            "following_count": 1,
            "statuses_count": 1,
            "emojis": [],
            "fields": [],
        },
        "media_attachments": [],
        "mentions": [],
        "tags": [
            {"name": tag.lower(), "url": f"https://social.example/tags/{tag}"}
            for tag in draft.words.tags
        ],
        "emojis": [],
        "card": None,
        "poll": None,
    }
    return orjson.dumps(status)


def facebook(draft: Draft) -> bytes:
    """A page feed's webhook, about 400 bytes."""
    page = draft.author.id
    value = {
        "from": {"id": str(page), "name": draft.author.name},
        "item": "status",
        "verb": "add",
        "post_id": f"{page}_{draft.id}",
        "created_time": draft.created // 1000,
        "message": draft.words.text,
        "published": 1,
    }
    entry = {
        "id": str(page),
        "time": draft.created // 1000,
        "changes": [{"field": "feed", "value": value}],
    }
    return orjson.dumps({"object": "page", "entry": [entry]})
