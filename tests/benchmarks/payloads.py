"""X's formats as large as X sends them: the simulated posts, and the fields nobody counts.

The simulation writes what is counted and little else (about 1.5 kB).  What is added here has the
shape of the real thing (nested objects, numbers, flags, URLs), because what JSON costs depends on
its structure, and a long string of padding would be cheap for every parser.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

import orjson

from streams.ingest.simulate import x_v1, x_v2
from streams.ingest.simulate.draft import Author, Draft

Render = Callable[[Draft], bytes]


def compact_v2(draft: Draft) -> bytes:
    """X v2 without `includes`, 770 bytes.  A repost cannot be shown in it, nor a country."""
    data = x_v2.record(draft)["data"]
    entities = data.setdefault("entities", {})
    entities["annotations"] = [_annotation(draft)]
    entities["urls"] = []
    data["context_annotations"] = []
    data["public_metrics"] |= {"bookmark_count": 0, "impression_count": draft.salt % 900}
    return orjson.dumps({"data": data, "matching_rules": [{"id": "1166916266197536768"}]})


def full_v2(draft: Draft) -> bytes:
    """X v2 with users, places and posts in `includes`, 4.3 kB."""
    about = draft.about
    if about is not None and about.v2 is None:
        about.v2 = orjson.Fragment(orjson.dumps(_rich_tweet(x_v2.record(about)["data"], about)))
    line = x_v2.record(draft)
    _rich_tweet(line["data"], draft)
    includes = line["includes"]
    authors = [draft.author] if about is None else [draft.author, about.author]
    includes["users"] = [
        user | _v2_profile(author) for user, author in zip(includes["users"], authors, strict=False)
    ]
    if draft.answers is not None:
        includes["users"].append(_v2_profile(draft.answers[1]) | {"id": str(draft.answers[1].id)})
    includes["media"] = [_media(draft)]
    return orjson.dumps(line)


def v1_1(draft: Draft) -> bytes:
    """X v1.1, 4.9 kB: a whole user in every status, and a whole status in every repost."""
    about = draft.about
    if about is not None and about.v1 is None:
        nested = _rich_status(x_v1.record(about), about)
        for outermost in ("timestamp_ms", "filter_level", "quoted_status"):
            nested.pop(outermost, None)
        about.v1 = orjson.Fragment(orjson.dumps(nested))
    return orjson.dumps(_rich_status(x_v1.record(draft), draft))


_EDIT_CONTROLS: Final = {
    "edits_remaining": 5,
    "is_edit_eligible": False,
    "editable_until": "2017-10-15T21:21:11.000Z",
}


def _annotation(draft: Draft) -> dict[str, Any]:
    return {
        "start": 4,
        "end": 11,
        "probability": draft.salt % 10_000 / 10_000,
        "type": "Place",
        "normalized_text": "Example",
    }


def _rich_tweet(data: dict[str, Any], draft: Draft) -> dict[str, Any]:
    entities = data.setdefault("entities", {})
    entities["annotations"] = [_annotation(draft)] * 2
    entities["urls"] = [_url(draft.salt)]
    data["context_annotations"] = _CONTEXT
    data["edit_controls"] = _EDIT_CONTROLS
    data["attachments"] = {"media_keys": [f"3_{draft.id}"]}
    data["public_metrics"] |= {"bookmark_count": 0, "impression_count": draft.salt % 90_000}
    return data


_CONTEXT: Final = [
    {
        "domain": {
            "id": str(number),
            "name": "Interests and Hobbies Category",
            "description": "A grouping of interests and hobbies entities, like Novelty Food",
        },
        "entity": {"id": f"{number}5266{number}", "name": "Bread and bakeries"},
    }
    for number in (65, 66, 131)
]


def _url(salt: int) -> dict[str, Any]:
    return {
        "start": 60,
        "end": 83,
        "url": f"https://t.co/{salt:010x}",
        "expanded_url": f"https://example.org/articles/{salt % 9973}?source=social",
        "display_url": f"example.org/articles/{salt % 9973}",
        "status": 200,
        "title": "Notes of a small bakery",
        "description": "What is baked on which day of the week, and why the oven is never cold.",
        "unwound_url": f"https://example.org/articles/{salt % 9973}",
    }


def _media(draft: Draft) -> dict[str, Any]:
    return {
        "media_key": f"3_{draft.id}",
        "type": "photo",
        "url": f"https://pbs.example.org/media/{draft.salt:010x}.jpg",
        "width": 1200,
        "height": 800,
        "alt_text": "A loaf of bread on a wooden table",
    }


@lru_cache(maxsize=100_000)
def _v2_profile(author: Author) -> dict[str, Any]:
    return {
        "created_at": "2011-04-06T08:14:31.000Z",
        "description": "Bread, rain and long train rides. Opinions are from the oven.",
        "protected": False,
        "profile_image_url": f"https://pbs.example.org/profile_images/{author.id}/face_normal.jpg",
        "url": f"https://t.co/{author.id:010x}",
        "entities": {
            "url": {
                "urls": [
                    {
                        "start": 0,
                        "end": 23,
                        "url": f"https://t.co/{author.id:010x}",
                        "expanded_url": f"https://{author.name}.example.org",
                        "display_url": f"{author.name}.example.org",
                    }
                ]
            },
            "description": {"hashtags": [{"start": 0, "end": 6, "tag": "bread"}]},
        },
        "pinned_tweet_id": str(author.id * 1_000_003),
        "verified_type": "none",
    }


def _rich_status(status: dict[str, Any], draft: Draft) -> dict[str, Any]:
    status["user"] = status["user"] | _v1_profile(draft.author)
    status["display_text_range"] = [0, 140]
    status["possibly_sensitive"] = False
    status["extended_entities"] = {
        "media": [
            {
                "id": draft.id + 1,
                "id_str": str(draft.id + 1),
                "indices": [60, 83],
                "media_url": f"http://pbs.example.org/media/{draft.salt:010x}.jpg",
                "media_url_https": f"https://pbs.example.org/media/{draft.salt:010x}.jpg",
                "url": f"https://t.co/{draft.salt:010x}",
                "display_url": f"pic.example.org/{draft.salt:010x}",
                "expanded_url": f"https://example.org/{draft.author.name}/status/{draft.id}/photo/1",
                "type": "photo",
                "sizes": {
                    size: {"w": width, "h": height, "resize": resize}
                    for size, width, height, resize in (
                        ("thumb", 150, 150, "crop"),
                        ("small", 680, 453, "fit"),
                        ("medium", 1200, 800, "fit"),
                        ("large", 2048, 1365, "fit"),
                    )
                },
            }
        ]
    }
    return status


@lru_cache(maxsize=100_000)
def _v1_profile(author: Author) -> dict[str, Any]:
    image = f"pbs.example.org/profile_images/{author.id}/face_normal.jpg"
    return {
        "url": f"https://{author.name}.example.org",
        "description": "Bread, rain and long train rides. Opinions are from the oven.",
        "translator_type": "none",
        "listed_count": author.id % 70,
        "favourites_count": author.id % 12_000,
        "statuses_count": author.id % 30_000,
        "created_at": "Wed Apr 06 08:14:31 +0000 2011",
        "utc_offset": None,
        "time_zone": None,
        "geo_enabled": True,
        "contributors_enabled": False,
        "is_translator": False,
        "profile_background_color": "C0DEED",
        "profile_background_image_url": "http://abs.example.org/images/themes/theme1/bg.png",
        "profile_background_image_url_https": "https://abs.example.org/images/themes/theme1/bg.png",
        "profile_background_tile": False,
        "profile_link_color": "1DA1F2",
        "profile_sidebar_border_color": "C0DEED",
        "profile_sidebar_fill_color": "DDEEF6",
        "profile_text_color": "333333",
        "profile_use_background_image": True,
        "profile_image_url": f"http://{image}",
        "profile_image_url_https": f"https://{image}",
        "profile_banner_url": f"https://pbs.example.org/profile_banners/{author.id}/1497893245",
        "default_profile": False,
        "default_profile_image": False,
        "following": None,
        "follow_request_sent": None,
        "notifications": None,
    }
