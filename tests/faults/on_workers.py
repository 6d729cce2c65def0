"""Faults of worker processes."""

from __future__ import annotations

import random
import signal
import time
from contextlib import suppress
from typing import Final

from streams.errors import UserError
from tests.faults.fault import Broken, Fault, register, running
from tests.faults.stage import SESSION_SECONDS, STATIC, Stage
from tests.faults.workers import WorkerProcess

_HAND_OVER_SECONDS: Final = 10.0


class _OneWorker(Fault):
    """Something happens to one worker, drawn by the dice."""

    def inject(self, stage: Stage, dice: random.Random) -> None:
        self.victim = dice.choice(stage.workers)
        self.harm(self.victim)

    def harm(self, worker: WorkerProcess) -> None:
        raise NotImplementedError

    def heal(self, stage: Stage) -> None:
        self.victim.start()


@register
class WorkerKilled(_OneWorker):
    name = "worker killed"

    def harm(self, worker: WorkerProcess) -> None:
        worker.child.kill()


@register
class WorkerTerminated(_OneWorker):
    """SIGTERM: within 10 s others count the partitions of the process, which is gone.

    A static member's stay its own for the session timeout: it is expected back.
    """

    name = "worker terminated"
    hold = (3.0, 5.0)  # posts come until the others are at work
    settles = True

    def inject(self, stage: Stage, dice: random.Random) -> None:
        self.victim = dice.choice(stage.workers)
        name, partitions = self.victim.child.name, self.victim.partitions()
        began = time.monotonic()
        status = self.victim.child.stop(30)
        took = time.monotonic() - began
        if status != 0 or took > _HAND_OVER_SECONDS:
            raise Broken(f"SIGTERM: {name} ended with {status} after {took:.1f} s")
        if self.victim.number == STATIC:
            return
        _until_counted_by_others(stage, partitions)
        took = time.monotonic() - began
        stage.hand_overs.append(took)
        if took > _HAND_OVER_SECONDS:
            raise Broken(f"SIGTERM: {name}'s partitions were counted after {took:.1f} s only")


def _until_counted_by_others(stage: Stage, partitions: set[int]) -> None:
    """Until a partition's next commit, or until its new owner says that nothing waits there.

    Whoever had them is gone.  Raises `Broken`.
    """
    left = stage.offsets()
    deadline = time.monotonic() + 4 * _HAND_OVER_SECONDS
    waiting = set(partitions)
    while waiting:
        idle = {p for w in running(stage) for p, lag in w.lags().items() if lag == 0}
        now = stage.offsets()
        waiting = {p for p in waiting if now[p] <= left[p] and p not in idle}
        if time.monotonic() > deadline:
            raise Broken(f"SIGTERM: nobody counts partitions {sorted(waiting)}")
        time.sleep(0.05)


@register
class Zombie(_OneWorker):
    """Stopped for longer than the session timeout, then it wakes up in the middle of a batch."""

    name = "worker stopped and continued"
    hold = (SESSION_SECONDS + 1, SESSION_SECONDS + 4)

    def harm(self, worker: WorkerProcess) -> None:
        worker.child.signal(signal.SIGSTOP)

    def heal(self, stage: Stage) -> None:
        self.victim.child.signal(signal.SIGCONT)


@register
class WorkersJoinAndLeave(Fault):
    """1, then 4, then 2 workers, then as many as before."""

    name = "workers 1, 4, 2"

    def inject(self, stage: Stage, dice: random.Random) -> None:
        self._count = len(stage.workers)
        self._become(stage, 1, dice)
        self._become(stage, 4, dice)

    def heal(self, stage: Stage) -> None:
        dice = random.Random(0)
        self._become(stage, 2, dice)
        self._become(stage, self._count, dice)

    def _become(self, stage: Stage, count: int, dice: random.Random) -> None:
        while len(stage.workers) < count:
            free = min(set(range(8)) - {worker.number for worker in stage.workers})
            stage.add_worker(free)
        while len(stage.workers) > count:
            worker = stage.workers.pop(dice.randrange(len(stage.workers)))
            worker.child.stop()


@register
class StaticMemberRestarted(Fault):
    """A static member, back before its session ends: nobody else is given a new assignment."""

    name = "static member restarted"
    hold = (0.2, 0.5)

    def inject(self, stage: Stage, dice: random.Random) -> None:
        self._static = next((w for w in stage.workers if w.number == STATIC), None)
        if self._static is None:
            return
        stage.settled()
        self._before = self._assignments(stage)
        self._began = time.monotonic()
        self._static.child.kill()
        self._static.start(ready=False)

    def heal(self, stage: Stage) -> None:
        if self._static is None:
            return
        with suppress(UserError):
            self._static.wait_ready(30)
        # On a slow machine it is not back in time, and a rebalance is right.
        in_time = time.monotonic() - self._began < SESSION_SECONDS - 1
        if in_time and self._assignments(stage) != self._before:
            raise Broken("static member restarted: the others were given new assignments")

    def _assignments(self, stage: Stage) -> dict[int, int]:
        return {w.number: w.assignments() for w in running(stage) if w is not self._static}
