"""From fields of Redis' hashes to the documents of the contract.  Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any, Final

from streams.keys import US

OUTCOMES: Final = {
    "counted": "counted",
    "duplicate": "duplicates",
    "dead": "dead",
    "ignored": "ignored",
    "late": "late",
}
#: Dimensions of a campaign and of a hashtag, as in `--by` and in the documents.
CAMPAIGN_DIMENSIONS: Final = ("country", "kind", "lang", "platform", "stance", "via")
HASHTAG_DIMENSIONS: Final = ("lang", "platform")
_JOINT: Final = ("platform", "kind", "via")


def outcomes_document(outcomes: Mapping[str, int]) -> dict[str, int]:
    """`posts` (records read) and how many of each outcome; from platform US outcome."""
    document = dict.fromkeys(("posts", *OUTCOMES.values()), 0)
    for field, n in outcomes.items():
        document["posts"] += n
        name = OUTCOMES.get(field.rpartition(US)[2])
        if name is not None:
            document[name] += n
    return dict(sorted(document.items()))


def by_campaign(fields: Mapping[str, int]) -> dict[str, Counter[str]]:
    """campaign US rest -> n, taken apart: fields without the name, by campaign."""
    campaigns: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for field, n in fields.items():
        name, _, rest = field.partition(US)
        campaigns[name][rest] += n
    return dict(campaigns)


def campaign_dimensions(fields: Mapping[str, int]) -> dict[str, dict[str, int]]:
    """A campaign's posts by dimension and value, `root` and `total` included; values are sorted."""
    dimensions: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for field, n in fields.items():
        dimension, _, value = field.partition(US)
        if dimension == "joint":
            for name, part in zip(_JOINT, value.split(US), strict=True):
                dimensions[name][part] += n
        else:
            dimensions[dimension][value] += n
    return {name: _sorted(values) for name, values in dimensions.items()}


def hashtag_dimensions(fields: Mapping[str, int]) -> dict[str, dict[str, int]]:
    """A hashtag's posts by platform and lang; from platform US lang."""
    platforms: Counter[str] = Counter()
    langs: Counter[str] = Counter()
    for field, n in fields.items():
        platform, _, lang = field.partition(US)
        platforms[platform] += n
        langs[lang] += n
    return {"lang": _sorted(langs), "platform": _sorted(platforms)}


def campaign_document(fields: Mapping[str, int]) -> dict[str, Any]:
    """A campaign as in `counts --total`."""
    dimensions = campaign_dimensions(fields)
    document: dict[str, Any] = {name: dimensions.get(name, {}) for name in CAMPAIGN_DIMENSIONS}
    document["total"] = sum(dimensions.get("total", {}).values())
    return dict(sorted(document.items()))


def totals_document(
    outcomes: Mapping[str, int], hashtags: Mapping[str, int], campaigns: Mapping[str, int]
) -> dict[str, Any]:
    """What `counts --total --json` and `simulate --truth` write."""
    document: dict[str, Any] = {
        **outcomes_document(outcomes),
        "hashtags": _sorted(hashtags),
        "campaigns": {
            name: campaign_document(fields)
            for name, fields in sorted(by_campaign(campaigns).items())
        },
    }
    return dict(sorted(document.items()))


def _sorted(values: Mapping[str, int]) -> dict[str, int]:
    return {name: n for name, n in sorted(values.items()) if n}
