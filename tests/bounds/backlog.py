"""Ten million posts without the time to think up ten million posts."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Final

from tests.benchmarks.firehose import PAYLOADS, Firehose, Line

_DRAFTED: Final = 250_000
#: Between the ids of two copies: a day of the time that X's ids begin with (ms, then 22 bits).
_ID_STEP: Final = 86_400_000 << 22


class Backlog(Firehose):
    """About `posts` records: up to 250,000 drafted, and those again and again under other ids."""

    def __init__(self, posts: int) -> None:
        self._copies = math.ceil(posts / _DRAFTED)
        super().__init__(PAYLOADS["compact-v2"], posts // self._copies, share=0.05)

    def __iter__(self) -> Iterator[Line]:
        drafted = []
        for line in super().__iter__():
            drafted.append(line)
            yield line
        for copy in range(1, self._copies):
            for line in drafted:
                own = line.key.removeprefix(b"x:")
                other = b"%d" % (int(own) + copy * _ID_STEP)
                yield Line(line.stamp, b"x:" + other, line.value.replace(own, other))

    def document(self) -> dict[str, Any]:
        """Every count as often."""
        return {name: _times(self._copies, counts) for name, counts in super().document().items()}


def _times(copies: int, counts: Any) -> Any:
    if isinstance(counts, dict):
        return {name: _times(copies, count) for name, count in counts.items()}
    return counts * copies
