"""Starts the parts, replays the day, shows what happens, and ends everything that it started."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import orjson
from rich.console import Console
from rich.live import Live

from streams.config import load_settings
from streams.demo.compare import compare
from streams.demo.options import Options
from streams.demo.parts import Parts, start_parts
from streams.demo.progress import Progress, Sample, summary
from streams.errors import UserError
from streams.ingest.replay import replay_stream

FOLDER: Final = Path(".streams")
_LOOK_SECONDS: Final = 0.5
_DRAIN_SECONDS: Final = 600.0


def run_demo(options: Options) -> int:
    """Run until Ctrl-C, or with `once` until the replay is counted; 1 if any count is wrong.

    Raises `UserError` where a part cannot be started.
    """
    console = Console(stderr=False)
    FOLDER.mkdir(exist_ok=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with contextlib.ExitStack() as stack:
        work = Path(
            stack.enter_context(
                tempfile.TemporaryDirectory(dir=FOLDER, prefix="demo-", ignore_cleanup_errors=True)
            )
        )
        try:
            parts = start_parts(options, work.resolve(), stack, console.print)
            (FOLDER / "demo.env").write_text(parts.shell_environment())
            stack.callback((FOLDER / "demo.env").unlink, missing_ok=True)
            return asyncio.run(_replay_and_watch(options, parts, console))
        except KeyboardInterrupt:
            console.print("stopping")
            return 130


async def _replay_and_watch(options: Options, parts: Parts, console: Console) -> int:
    settings = load_settings(None, parts.environ)
    truth = parts.folder / "truth.json"
    simulate = await asyncio.create_subprocess_exec(
        *parts.streams(
            "simulate",
            "--posts",
            str(options.posts),
            "--seed",
            str(options.seed),
            "--truth",
            str(truth),
        ),
        stdout=asyncio.subprocess.PIPE,
        limit=2**22,
        start_new_session=True,
    )
    began = time.monotonic()
    produced = 0

    def on_progress(records: int) -> None:
        nonlocal produced
        produced = records

    progress = Progress(options.posts, parts.urls)
    assert simulate.stdout is not None  # noqa: S101 - asked for above
    replay = asyncio.create_task(
        replay_stream(settings, simulate.stdout, speed=options.speed, on_progress=on_progress)
    )
    if not console.is_terminal:
        console.print(*(f"{name}: {url}" for name, url in parts.urls.items()), sep="\n")
    try:
        with _live(console) as show:
            while True:
                sample = await _look(parts, produced)
                show(progress, sample)
                if replay.done():
                    replay.result()
                    if sample.posts >= produced:
                        break
                parts.require_running()
                await asyncio.sleep(_LOOK_SECONDS)
        if await simulate.wait() != 0:
            raise UserError("the simulation failed; what it said stands above")
        seconds = time.monotonic() - began
    finally:
        replay.cancel()
        if simulate.returncode is None:
            simulate.kill()
    counted = await _command(parts, "counts", "--total", "--json")
    rows = compare(orjson.loads(counted), orjson.loads(truth.read_bytes()))
    console.print(summary(rows))
    wrong = sum(row.difference for row in rows)
    console.print(
        f"{produced:,} posts in {seconds:.1f} s, {produced / seconds:,.0f} posts/s; "
        f"{parts.usage(produced)}"
    )
    console.print(
        "every count is exact" if not wrong else f"[bold red]{wrong} differences[/bold red]"
    )
    if not options.once:
        console.print(f"still serving {', '.join(parts.urls.values())}; Ctrl-C ends it")
        console.print(f"other commands see it after: set -a; . {FOLDER}/demo.env; set +a")
        while True:
            parts.require_running()
            await asyncio.sleep(1)
    return 1 if wrong else 0


@contextlib.contextmanager
def _live(console: Console) -> Iterator[Any]:
    """A table that is redrawn on a terminal; a line now and then elsewhere."""
    if console.is_terminal:
        with Live(console=console, refresh_per_second=4, transient=False) as live:
            yield lambda progress, sample: live.update(progress.table(sample))
        return
    last = 0.0

    def show(_: Progress, sample: Sample) -> None:
        nonlocal last
        if time.monotonic() - last > 5:
            last = time.monotonic()
            console.print(
                f"posts in {sample.produced:,}, read {sample.posts:,}, lag {sample.lag:,}"
            )

    yield show


async def _look(parts: Parts, produced: int) -> Sample:
    counts, velocity = await parts.look()
    return Sample(counts, produced, velocity)


async def _command(parts: Parts, *arguments: str) -> bytes:
    """A command of this package, as a user would call it."""
    process = await asyncio.create_subprocess_exec(
        *parts.streams(*arguments), env=parts.environ, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    if process.returncode != 0:
        raise UserError(f"streams {' '.join(arguments)} failed with status {process.returncode}")
    return output


__all__ = ["run_demo"]
