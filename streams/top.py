"""The command `top`: campaigns and hashtags as they move, in a terminal or for scripts."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from redis.exceptions import RedisError
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from streams.config import Settings
from streams.counts import read_campaign_names
from streams.keys import US, Layout
from streams.redis_client import connect, unreachable
from streams.spread import velocity
from streams.store.documents import by_campaign, outcomes_document
from streams.store.reads import Reader
from streams.store.states import Clock, Times, times
from streams.store.subjects import Subject, campaign, hashtag
from streams.windows import Window
from streams.windows import window as window_of

HASHTAGS: Final = 12
INTERVAL: Final = 2.0
_POINTS: Final = 24  # of a sparkline, at most: the table fits into 80 columns
_NAME: Final = 28
_BARS: Final = "▁▂▃▄▅▆▇█"
_BARS_ASCII: Final = "_.-~=+*#"
_UNUSABLE: Final = (RedisError, OSError, TimeoutError)


async def look(
    reader: Reader,
    window: Window,
    clock: Clock,
    names: Sequence[str] = (),
    *,
    top: int = HASHTAGS,
    now: Callable[[], float] = time.time,
) -> dict[str, Any]:
    """What `--json` prints: campaigns and the `top` hashtags by their posts in the window.

    `names` are campaigns to list even where they have no posts.  `until` is the window's end (ms
    since 1970; None before the first post), `velocity` posts/s over it, `points` the posts of its
    parts, oldest first, each `step` seconds long.
    """
    states = await reader.states()
    totals = by_campaign((await reader.totals()).campaigns)
    subjects = [campaign(name) for name in sorted({*names, *totals})]
    document: dict[str, Any] = {
        "window": window.name,
        "until": None,
        "step": None,
        "records": outcomes_document(await reader.outcomes()),
        "lag": sum(state.lag or 0 for state in states),
        "paused": [state.name for state in states if state.paused],
        "campaigns": [],
        "hashtags": [],
    }
    at = times(states, clock, now())
    if at is None:
        document["campaigns"] = [
            {"campaign": subject.name, "total": 0, "posts": 0, "velocity": None, "points": []}
            for subject in subjects
        ]
        return document
    chosen, until, size = _parts(window, at)
    document["until"] = until * 1000
    document["step"] = size * chosen.step
    starts = chosen.starts(until)
    ranking = await reader.ranking(chosen.step, starts)
    tags = sorted(ranking, key=lambda tag: (-ranking[tag], tag))[:top]
    tag_totals = await reader.hashtag_totals(tags) if tags else {}

    async def row(subject: Subject, total: int) -> dict[str, Any]:
        found = await reader.buckets(subject, chosen.step, starts)
        posts = [found[start] for start in starts]
        return {
            "campaign" if subject.kind == "c" else "hashtag": subject.name,
            "total": total,
            "posts": sum(posts),
            "velocity": velocity(sum(posts), chosen.seconds),
            "points": [sum(posts[first : first + size]) for first in range(0, len(posts), size)],
        }

    for subject in subjects:
        fields = totals.get(subject.name, Counter())
        document["campaigns"].append(await row(subject, fields[f"total{US}"]))
    document["campaigns"].sort(key=lambda each: (-each["posts"], each["campaign"]))
    for tag in tags:
        document["hashtags"].append(await row(hashtag(tag), tag_totals.get(tag, 0)))
    document["hashtags"].sort(key=lambda each: (-each["posts"], each["hashtag"]))
    return document


def _parts(window: Window, at: Times) -> tuple[Window, int, int]:
    """The window in buckets that are there, its end (s), and how many buckets a point has."""
    chosen = window.safe(at.watermark, at.newest)
    buckets = chosen.seconds // chosen.step
    size = next(n for n in range(1, buckets + 1) if buckets % n == 0 and buckets // n <= _POINTS)
    return chosen, chosen.until(at.watermark), size


def sparkline(points: Sequence[int], *, ascii_only: bool = False) -> str:
    """One character a point, from nothing (a space) to the most.

    >>> sparkline([0, 1, 4, 8])
    ' ▁▄█'
    """
    bars = _BARS_ASCII if ascii_only else _BARS
    most = max(points, default=0)
    return "".join(bars[max(0, -(-n * len(bars) // most) - 1)] if n > 0 else " " for n in points)


def screen(document: dict[str, Any], *, ascii_only: bool = False) -> Group:
    """The document as a table of at most 80 columns."""
    return Group(
        Text(_headline(document), style="dim"),
        _table("campaign", document, ascii_only=ascii_only),
        Text(),
        _table("hashtag", document, ascii_only=ascii_only),
        Text(),
        Text(_health(document), style="dim"),
    )


def _headline(document: dict[str, Any]) -> str:
    if document["until"] is None:
        return f"the last {document['window']}: no posts yet"
    until = datetime.fromtimestamp(document["until"] / 1000, UTC)
    return f"the last {document['window']}, to {until:%Y-%m-%d %H:%M:%S} UTC"


def _health(document: dict[str, Any]) -> str:
    records = document["records"]
    paused = f", {len(document['paused'])} paused" if document["paused"] else ""
    return (
        f"lag {document['lag']:,}, {records['posts']:,} read, {records['duplicates']:,} duplicates,"
        f" {records['dead']:,} dead{paused}"
    )


def _table(kind: str, document: dict[str, Any], *, ascii_only: bool) -> Table:
    table = Table(box=None, padding=(0, 1, 0, 0), header_style="bold", expand=False)
    table.add_column(kind, width=_NAME, no_wrap=True, overflow="ellipsis")
    table.add_column("total", justify="right", min_width=8, no_wrap=True)
    table.add_column("posts", justify="right", min_width=7, no_wrap=True)
    table.add_column("posts/s", justify="right", min_width=7, no_wrap=True)
    table.add_column("", width=_POINTS, no_wrap=True)
    for row in document[f"{kind}s"]:
        rate = "-" if row["velocity"] is None else _rate(row["velocity"])
        table.add_row(
            Text(("#" if kind == "hashtag" else "") + row[kind]),
            f"{row['total']:,}",
            f"{row['posts']:,}",
            rate,
            Text(sparkline(row["points"], ascii_only=ascii_only), style="blue"),
        )
    return table


def _rate(rate: float) -> str:
    return f"{rate:,.0f}" if rate >= 100 else f"{rate:.2f}" if rate >= 0.1 else f"{rate:.3f}"


async def run_top(
    settings: Settings, window: str, *, interval: float, once: bool, as_json: bool
) -> int:
    """Show until Ctrl-C, or one look with `once`; exit status 0.

    A terminal gets a table that is redrawn, anything else a table (or a JSON document a line)
    every `interval` seconds.  Raises `UsageError` for an unknown window, and `UserError` where
    Redis does not answer the first time; later it is waited for.
    """
    chosen = window_of(window)
    console = Console(highlight=False)
    names = sorted(read_campaign_names(settings))
    redis = connect(settings.redis, retries=2)
    reader = Reader(redis, Layout(settings.redis.prefix))
    try:
        try:
            document = await look(reader, chosen, settings.exporter.clock, names)
        except _UNUSABLE as error:
            raise unreachable(settings.redis, error) from error
        redrawn = console.is_terminal and not once and not as_json
        with contextlib.ExitStack() as stack:
            live = (
                stack.enter_context(Live(console=console, auto_refresh=False, screen=True))
                if redrawn
                else None
            )
            while True:
                _show(console, live, document, as_json=as_json)
                if once:
                    return 0
                await asyncio.sleep(interval)
                try:
                    document = await look(reader, chosen, settings.exporter.clock, names)
                except _UNUSABLE as error:
                    console.print(f"Redis does not answer: {type(error).__name__}", style="red")
    finally:
        await redis.aclose()


def _show(console: Console, live: Live | None, document: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(document, ensure_ascii=False), flush=True)  # noqa: T201 - its output
        return
    drawn = screen(document, ascii_only=console.options.ascii_only)
    if live is None:
        console.print(drawn)
    else:
        live.update(drawn, refresh=True)
