"""Cuts between workers and what they need."""

from __future__ import annotations

import random
from typing import ClassVar

from tests.faults.fault import Fault, register
from tests.faults.proxy import Proxy
from tests.faults.stage import Stage


class _Network(Fault):
    """Something happens to the connections of all workers to one service."""

    service: ClassVar[str]

    def proxy(self, stage: Stage) -> Proxy:
        return stage.kafka_proxy if self.service == "Kafka" else stage.redis_proxy

    def heal(self, stage: Stage) -> None:
        self.proxy(stage).heal()


class _Cut(_Network):
    """Every connection is reset, and new ones too."""

    hold = (0.5, 6.0)

    def inject(self, stage: Stage, dice: random.Random) -> None:
        self.proxy(stage).cut()


class _Reset(_Network):
    """Every connection is reset once: commands are done, and their answers lost."""

    hold = (0.0, 0.5)

    def inject(self, stage: Stage, dice: random.Random) -> None:
        self.proxy(stage).reset()


class _Stalled(_Network):
    """Nothing passes for a while, then all of it does."""

    hold = (1.0, 8.0)

    def inject(self, stage: Stage, dice: random.Random) -> None:
        self.proxy(stage).stall()


class _HalfOpen(_Network):
    """Open connections carry nothing any more, for ever, and nobody is told; new ones do."""

    hold = (0.0, 1.0)

    def inject(self, stage: Stage, dice: random.Random) -> None:
        self.proxy(stage).half_open()


for kind, what in (
    (_Cut, "cut"),
    (_Reset, "reset"),
    (_Stalled, "stalled"),
    (_HalfOpen, "half-open"),
):
    for service in ("Redis", "Kafka"):
        register(
            type(
                f"{service}{kind.__name__}",
                (kind,),
                {"name": f"{service} connections {what}", "service": service},
            )
        )
