"""What all commands share: options, settings, logging, the exit status."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any

import typer

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config", envvar="STREAMS_CONFIG", help="streams.toml; STREAMS_* variables override it."
    ),
]
JsonFlag = Annotated[bool, typer.Option("--json", help="One JSON document instead of a table.")]


def read_settings(config: Path | None) -> Any:
    from streams.config import load_settings

    return load_settings(config)


def set_logging(level: str) -> None:
    logging.basicConfig(
        level=level.upper(),
        stream=sys.stderr,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    for noisy in ("aiokafka", "mode", "faust", "streams.transport", "streams.consuming", "uvicorn"):
        logging.getLogger(noisy).setLevel(max(logging.WARNING, logging.getLogger().level))


def run(work: Callable[[], Coroutine[Any, Any, int | None]]) -> None:
    raise typer.Exit(asyncio.run(work()) or 0)
