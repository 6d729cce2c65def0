"""The exact counts that a simulated day must lead to.

They are added up from what the generator meant to write, never from what a decoder or a classifier
reads: a mistake in one of those must show as a difference.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from functools import lru_cache
from typing import Any, Final

from streams.ingest.simulate.draft import Draft, Words

OUTCOMES: Final = ("counted", "duplicate", "dead", "ignored", "late")


class Truth:
    """Filled while the simulation is iterated over; complete when it is exhausted."""

    def __init__(self, campaign: str) -> None:
        self._campaign = campaign
        self._outcomes: Counter[str] = Counter()
        self._tags: Counter[str] = Counter()
        self._posts: Counter[tuple[str, str, str, str, str | None]] = Counter()
        self._authors: set[int] = set()

    def add(self, outcome: str, draft: Draft | None = None) -> None:
        """One record; `draft` is what a counted one holds."""
        self._outcomes[outcome] += 1
        if draft is None:
            return
        words = draft.shown
        for tag in canonical_tags(words.tags):
            self._tags[tag] += 1
        if draft.via is not None:
            self._posts[draft.via, draft.kind, meant(words), words.lang, draft.country] += 1
            self._authors.add(draft.author.id)

    def authors(self, campaign: str) -> int:
        """Distinct authors of a campaign's posts; not in the document, whose counts are exact."""
        return len(self._authors) if campaign == self._campaign else 0

    def document(self) -> dict[str, Any]:
        """What `streams simulate --truth` writes and `streams counts --total --json` must equal."""
        campaigns: dict[str, Any] = {}
        if self._posts:
            campaigns[self._campaign] = self._campaign_document()
        return {
            "campaigns": campaigns,
            "counted": self._outcomes["counted"],
            "dead": self._outcomes["dead"],
            "duplicates": self._outcomes["duplicate"],
            "hashtags": dict(sorted(self._tags.items())),
            "ignored": self._outcomes["ignored"],
            "late": self._outcomes["late"],
            "posts": self._outcomes.total(),
        }

    def _campaign_document(self) -> dict[str, Any]:
        dimensions: dict[str, Counter[str]] = {
            name: Counter() for name in ("country", "kind", "lang", "platform", "stance", "via")
        }
        for (via, kind, stance, lang, country), n in self._posts.items():
            dimensions["via"][via] += n
            dimensions["kind"][kind] += n
            dimensions["stance"][stance] += n
            dimensions["lang"][lang] += n
            dimensions["platform"]["x"] += n
            if country is not None:
                dimensions["country"][country] += n
        counts = {name: dict(sorted(values.items())) for name, values in dimensions.items()}
        return dict(sorted({**counts, "total": self._posts.total()}.items()))


def meant(words: Words) -> str:
    """The stance of a text: nothing but the campaign's tag answers the call, as the phrase does."""
    return "testimony" if words.style == "tags" else words.stance


@lru_cache(maxsize=65536)
def canonical_tags(tags: tuple[str, ...]) -> tuple[str, ...]:
    """NFKC and casefold, in order, no repeats: the contract's rule, written down once more."""
    return tuple(dict.fromkeys(unicodedata.normalize("NFKC", tag).casefold() for tag in tags))
