"""What a recount shows: one line that changes on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final, Protocol

import typer

_ON_TERMINAL: Final = 0.2  # seconds between two lines
_PLAIN: Final = 5.0
_CLEAR: Final = "\r\x1b[2K"


class Part(Protocol):
    """What is shown of a partition."""

    @property
    def done(self) -> bool: ...
    @property
    def waits_for(self) -> str | None: ...
    @property
    def offset(self) -> int: ...
    @property
    def target(self) -> int: ...
    @property
    def time(self) -> int: ...


class Progress:
    """`what` is counted again, in `parts`."""

    def __init__(
        self,
        what: str,
        parts: Sequence[Part],
        *,
        terminal: bool,
        now: Callable[[], float] = time.monotonic,
        echo: Callable[..., None] = typer.echo,
    ) -> None:
        self._what = what
        self._parts = parts
        self._terminal = terminal
        self._now = now
        self._echo = echo
        self._shown = float("-inf")
        self._last = ""

    def show(self) -> None:
        """A line, if it is time for one and there is something new to say."""
        if self._now() - self._shown < (_ON_TERMINAL if self._terminal else _PLAIN):
            return
        line = self.line()
        if line != self._last:
            self._print(line, nl=not self._terminal)
        self._shown, self._last = self._now(), line

    def end(self) -> None:
        """The last line."""
        swapped = sum(part.done for part in self._parts)
        self._print(f"{self._what}: counted again, {swapped} partitions swapped", nl=True)

    def line(self) -> str:
        """Records to go, partitions swapped, the log's time, and what is waited for."""
        left = [part for part in self._parts if not part.done]
        behind = sum(max(0, part.target - part.offset) for part in left)
        swapped = len(self._parts) - len(left)
        told = f"{self._what}: {swapped} of {len(self._parts)} partitions swapped"
        if behind:
            told += f", {behind:,} records to read"
        times = [part.time for part in left if part.time]
        if times:
            told += time.strftime(", at %Y-%m-%d %H:%M UTC", time.gmtime(min(times) / 1000))
        waits = sorted({part.waits_for for part in left if part.waits_for})
        if waits:
            told += f"; waiting for {', '.join(waits)}"
        return told

    def _print(self, line: str, *, nl: bool) -> None:
        self._echo(f"{_CLEAR}{line}" if self._terminal else line, nl=nl)
