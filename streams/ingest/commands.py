"""What the commands `simulate`, `replay` and `inspect` do."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import orjson
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from streams.campaigns import load
from streams.classify import Classifier
from streams.config import Settings
from streams.errors import UserError
from streams.ingest.ndjson import STDIN, read_lines, stream_lines
from streams.ingest.replay import ReplayStats, replay, replay_producer
from streams.ingest.simulate import load_scenario, simulate
from streams.inspect import inspect_line

_COMPRESSED: Final = (".gz", ".zst")
_BLOCK: Final = 1 << 20  # bytes written to stdout at a time


def write_simulation(scenario: str, posts: int, seed: int, truth: Path | None) -> None:
    """The day on stdout, its truth in a file.  Raises `UserError`."""
    day = simulate(load_scenario(scenario), posts=posts, seed=seed)
    if truth is not None:
        _write(truth, b"")  # better now than after a minute's work
    out = sys.stdout.buffer
    block: list[bytes] = []
    size = 0
    for line in day:
        block.append(line)
        size += len(line)
        if size > _BLOCK:
            out.write(b"\n".join(block) + b"\n")
            block, size = [], 0
    out.write(b"".join(line + b"\n" for line in block))
    out.flush()
    if truth is not None:
        _write(truth, orjson.dumps(day.truth.document(), option=orjson.OPT_INDENT_2) + b"\n")


def inspect_file(
    file: str, campaigns: Sequence[str], *, explain: bool = False, closed: Sequence[str] = ()
) -> None:
    """A line out for each line in.  Raises `UserError`."""
    classifier = Classifier([load(campaign) for campaign in campaigns])
    out = sys.stdout.buffer
    for line in read_lines(file):
        out.write(inspect_line(line, classifier, explain=explain, closed=closed) + b"\n")
    out.flush()


async def replay_files(
    settings: Settings, files: Sequence[str], topic: str | None, speed: float | None, *, keyed: bool
) -> int:
    """Files into the raw topic, with a progress bar on stderr.  Raises `UserError`."""
    columns = (
        SpinnerColumn(),
        BarColumn(),
        TextColumn("{task.fields[records]:,} records, {task.fields[rate]:,.0f}/s"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("replay", total=_size(files), records=0, rate=0.0)

        def show(stats: ReplayStats) -> None:
            rate = stats.sent / stats.seconds if stats.seconds else 0.0
            bar.update(task, completed=stats.bytes + stats.read, records=stats.sent, rate=rate)

        topic = topic or settings.kafka.topics.raw
        async with replay_producer(settings, topic) as producer:
            await replay(
                stream_lines(*files), producer, topic, speed=speed, keyed=keyed, on_progress=show
            )
    return 0


def _size(files: Sequence[str]) -> int | None:
    """Bytes in all files together; None where that is not known before they are read."""
    if any(file == STDIN or file.endswith(_COMPRESSED) for file in files):
        return None
    return sum(Path(file).stat().st_size for file in files if Path(file).is_file())


def _write(path: Path, content: bytes) -> None:
    try:
        path.write_bytes(content)
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror}") from error
