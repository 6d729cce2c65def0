"""What is counted, and under which names."""

from __future__ import annotations

from typing import NamedTuple

from streams.keys import US, GenerationKeys


class Subject(NamedTuple):
    """What is counted: a campaign or a hashtag."""

    kind: str  # "c" or "h", as in the names of keys
    name: str

    @property
    def key(self) -> str:
        """As in the names of HyperLogLogs."""
        return f"{self.kind}{US}{self.name}"

    @property
    def field(self) -> str:
        """The field of its total in the hash of a bucket."""
        return self.name if self.kind == "h" else f"{self.name}{US}total{US}"

    def bucket(self, keys: GenerationKeys, step: int, start: int) -> str:
        return (keys.bucket if self.kind == "h" else keys.campaign_bucket)(step, start)


def campaign(name: str) -> Subject:
    return Subject("c", name)


def hashtag(tag: str) -> Subject:
    """`tag` in its canonical form."""
    return Subject("h", tag)
