"""What the demo is asked for."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple


class Options(NamedTuple):
    """`posts`: lines of the day; `speed`: multiple of event time (None: as fast as it goes)."""

    posts: int
    speed: float | None
    once: bool
    seed: int
    workers: int
    config: Path | None
