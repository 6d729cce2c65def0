"""What a partition needs of the world around it: Kafka, the outputs, the metrics, the limit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from streams.classify import Classifier
from streams.increments import Result
from streams.inheritance import Inherited
from streams.reading import Place, Reading


class Wait(NamedTuple):
    """What is tried again and again, with the last try's error."""

    since: float  # monotonic seconds, of the first try that failed
    reason: str


class Batch(Protocol):
    """What is used of `streams.consuming.Batch`."""

    @property
    def epoch(self) -> int: ...
    @property
    def start(self) -> int | None: ...
    @property
    def end(self) -> int: ...
    @property
    def records(self) -> Sequence[Any]: ...


class Log(Protocol):
    """The partition's log, as far as it has to be moved in."""

    async def seek(self, offset: int | None) -> tuple[int, int]:
        """Seek (None: to the first record); returns the epoch of the batches that follow and the
        offset that the first of them starts at."""

    async def earliest(self) -> int:
        """First offset that the log still holds."""

    async def given(self) -> int | None:
        """Where the last batch that was given out ended, or the last seek went; None: neither."""


class Outputs(Protocol):
    """Kafka topics that are written before the offset moves: at least once."""

    async def write(self, place: Place, reading: Reading, result: Result) -> None: ...


class Kinship(Protocol):
    """What reposts and replies inherit from posts of other partitions; best effort."""

    async def inherited(self, reading: Reading, classifier: Classifier) -> Inherited: ...
    async def remember(self, result: Result) -> None: ...


class Observer(Protocol):
    """What happened, for metrics and log lines; never decides anything."""

    def committed(self, reading: Reading, result: Result, seconds: Mapping[str, float]) -> None: ...
    def rejected(self, reason: str) -> None: ...
    def waiting(self, reason: str) -> None: ...
    def incident(self, kind: str, **facts: object) -> None: ...


class Limits(Protocol):
    """The dead-letter limit: a reason to pause, or None."""

    def pause_reason(self, reading: Reading) -> str | None: ...
