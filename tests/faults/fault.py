"""What a fault is, and the list of all of them."""

from __future__ import annotations

import random
import time
from typing import ClassVar, Final, TypeVar

from streams.errors import UserError
from tests.faults.stage import Stage
from tests.faults.workers import WorkerProcess, all_running
from tests.redis_server import knows

SAYS_SECONDS: Final = 25.0  # until a worker has to say that it waits


class Broken(UserError):
    """Something that has to hold beside the counts does not: the run fails, and goes on."""


class Fault:
    """`inject` breaks something, `check` looks at what has to hold meanwhile, `heal` mends it."""

    name: ClassVar[str]
    hold: ClassVar[tuple[float, float]] = (0.5, 2.0)  # seconds, least and most
    waits: ClassVar[bool] = False  # nothing can be counted: a worker has to say so
    settles: ClassVar[bool] = False  # it measures: earlier faults' rebalances have to be over
    directive: ClassVar[str] = ""  # of Redis' configuration: without it the fault cannot be had

    @classmethod
    def possible(cls) -> bool:
        """Whether the redis-server of this machine has what it takes."""
        return not cls.directive or knows(cls.directive)

    def inject(self, stage: Stage, dice: random.Random) -> None:
        raise NotImplementedError

    def check(self, stage: Stage) -> None:
        """Raises `Broken`.  By default: while nothing can be counted, workers say so."""
        if self.waits:
            says_so(stage, self.name)

    def heal(self, stage: Stage) -> None:
        """Mend it, and leave as many workers as there were."""


#: Every fault that a run with one broker and one Redis draws from.
FAULTS: Final[dict[str, type[Fault]]] = {}
F = TypeVar("F", bound=type[Fault])


def register(fault: F) -> F:
    FAULTS[fault.name] = fault
    return fault


def running(stage: Stage) -> list[WorkerProcess]:
    return [worker for worker in stage.workers if worker.running]


def says_so(stage: Stage, name: str) -> None:
    """A worker counts retries, one is not ready for a reason, and none has ended."""
    deadline = time.monotonic() + SAYS_SECONDS
    while True:
        all_running(stage.workers)
        reasons = [worker.unready() for worker in stage.workers]
        retries = sum(worker.metric("streams_retries_total") for worker in stage.workers)
        if any(reasons) and retries:
            return
        if time.monotonic() > deadline:
            raise Broken(f"{name}: no worker says that it waits ({retries:.0f} retries)")
        time.sleep(0.3)
