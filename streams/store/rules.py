"""Which rules (program, campaigns) counted from which offset, as each partition noted it.

A partition makes a note with the first batch that other rules counted than the one before it, also
where an older worker has it again in the middle of a rolling update.  With notes and log every
count can be worked out again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from streams.store.reads import Reader


class Applied(NamedTuple):
    """From `offset` of `partition` (`topic:number`) in its `gen`-th log on, these rules counted."""

    partition: str
    gen: int
    offset: int
    program: str
    campaigns: Mapping[str, str]  # name -> version+digest

    def document(self) -> dict[str, Any]:
        return {**self._asdict(), "campaigns": dict(self.campaigns)}


async def applied(reader: Reader) -> list[Applied]:
    """All notes, sorted by partition, log and offset."""
    found = []
    for answer in await reader.read(lambda _name, keys: [("hgetall", keys.rules)]):
        for gen, (notes,) in enumerate(answer.replies):
            for offset, text in notes.items():
                rules = json.loads(text)
                found.append(
                    Applied(
                        answer.state.name, gen, int(offset), rules["program"], rules["campaigns"]
                    )
                )
    return sorted(found, key=lambda note: (note.partition, note.gen, note.offset))
