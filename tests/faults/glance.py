"""A reader that looks at the totals all the time: it has to see whole batches."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from typing import Final, Self

from redis.asyncio import Redis
from redis.exceptions import RedisError

from streams.keys import US, Layout
from streams.store.reads import Reader, Totals
from tests.faults.stage import Stage

_PAUSE: Final = 0.05
_DIMENSIONS: Final = ("stance", "lang", "joint")


class Glances:
    """Reads as an exporter does, in a thread; what does not add up is in `wrong`."""

    def __init__(self, stage: Stage) -> None:
        self.taken = 0
        self.wrong: list[str] = []
        self._url = stage.redis.server.url
        self._layout = Layout(stage.settings.redis.prefix)
        self._keyed = stage.mode == "keyed"
        self._end = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        self._end.set()
        self._thread.join(10)

    async def _run(self) -> None:
        redis = Redis.from_url(self._url, socket_timeout=2)
        reader = Reader(redis, self._layout)
        while not self._end.is_set():
            with suppress(RedisError, OSError):
                self._look(await reader.totals())
                self.taken += 1
            await asyncio.sleep(_PAUSE)
        await redis.aclose()

    def _look(self, totals: Totals) -> None:
        """Each post has one stance, one language, one platform; each record one outcome."""
        sums: dict[tuple[str, str], int] = {}
        for field, n in totals.campaigns.items():
            campaign, dimension, *_ = field.split(US)
            sums[campaign, dimension] = sums.get((campaign, dimension), 0) + n
        for (campaign, dimension), n in sums.items():
            total = sums.get((campaign, "total"), 0)
            if dimension in _DIMENSIONS and n != total:
                self._complain(f"a reader saw {n} posts by {dimension} of {total} of {campaign}")
        if self._keyed:  # no repeats of a forwarding: every offset is a record
            offsets = sum(state.offset or 0 for state in totals.states)
            if totals.outcomes.total() != offsets:
                self._complain(f"a reader saw {totals.outcomes.total()} outcomes of {offsets}")

    def _complain(self, text: str) -> None:
        if len(self.wrong) < 10:
            self.wrong.append(text)
