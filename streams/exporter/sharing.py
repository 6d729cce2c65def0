"""One answer for all who ask for the same at nearly the same time, so that a crowd costs Redis
what one reader costs."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import Final

# Far below the second after which a post that was taken back must be gone.
_SAME_SECONDS: Final = 0.3
_REMEMBERED: Final = 256


class Shared:
    """Remembers answers for a moment, and who waits for one that is being made."""

    def __init__(self) -> None:
        self._answers: OrderedDict[Hashable, tuple[float, asyncio.Future[bytes]]] = OrderedDict()

    async def get(self, key: Hashable, make: Callable[[], Awaitable[bytes]]) -> bytes:
        """What `make` gives, now or a moment ago; raises what it raises."""
        known = self._answers.get(key)
        if known is None or (known[1].done() and time.monotonic() - known[0] > _SAME_SECONDS):
            making = asyncio.ensure_future(make())
            making.add_done_callback(_seen)
            known = self._answers[key] = (time.monotonic(), making)
            self._answers.move_to_end(key)
            while len(self._answers) > _REMEMBERED:
                self._answers.popitem(last=False)
        return await asyncio.shield(known[1])


def _seen(making: asyncio.Future[bytes]) -> None:
    """Its error is the callers', who may be gone by then."""
    if not making.cancelled():
        making.exception()
