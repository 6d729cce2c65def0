"""The command `counts`: exact counters, from Redis."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import typer
from redis.exceptions import RedisError
from rich.console import Console
from rich.table import Table

from streams import campaigns
from streams.config import Settings
from streams.errors import UsageError
from streams.keys import US, Layout
from streams.redis_client import Client, connect, unreachable
from streams.spread import velocity
from streams.store.documents import (
    CAMPAIGN_DIMENSIONS,
    HASHTAG_DIMENSIONS,
    campaign_dimensions,
    hashtag_dimensions,
    outcomes_document,
    totals_document,
)
from streams.store.reads import Reader
from streams.store.rules import applied
from streams.store.states import Clock, times
from streams.store.subjects import Subject, campaign, hashtag
from streams.text.hashtags import canonical
from streams.windows import window as window_of

_ROWS: Final = 20  # of a table; --json has all


async def read_totals(settings: Settings, redis: Client) -> dict[str, int]:
    """Records read and outcomes: `posts`, `counted`, `duplicates`, `dead`, `ignored`, `late`."""
    reader = Reader(redis, Layout(settings.redis.prefix))
    return outcomes_document(await reader.outcomes())


async def read_velocity(
    settings: Settings, redis: Client, name: str, window: str = "1m"
) -> float | None:
    """A campaign's velocity in posts/s of event time; None before the first post."""
    reader = Reader(redis, Layout(settings.redis.prefix))
    document = await windowed(reader, campaign(name), window, settings.exporter.clock)
    rate: float | None = document["velocity"]
    return rate


def read_campaign_names(settings: Settings) -> set[str]:
    """Campaigns of the configuration.  Raises `UsageError` where a file is wrong."""
    return {campaigns.load(name).name for name in settings.campaigns}


async def _require_campaign(settings: Settings, reader: Reader, name: str) -> None:
    """Raises `UsageError` for a campaign that nobody configured and that has no posts."""
    known = read_campaign_names(settings) | (await reader.campaign_info()).keys()
    if name not in known and not await reader.campaign_fields(name):
        raise UsageError(f"no campaign {name!r}: take one of {', '.join(sorted(known))}")


async def total_document(reader: Reader) -> dict[str, Any]:
    """The contract's document of all totals: equal to what `simulate --truth` writes."""
    totals = await reader.totals()
    return totals_document(totals.outcomes, totals.hashtags, totals.campaigns)


async def subject_total(reader: Reader, subject: Subject, by: str | None = None) -> dict[str, Any]:
    """Total of a campaign or hashtag, and its posts by one dimension."""
    if subject.kind == "h":
        n = (await reader.hashtag_totals([subject.name])).get(subject.name, 0)
        dimensions = hashtag_dimensions(await reader.hashtag_fields(subject.name)) if by else {}
    else:
        dimensions = campaign_dimensions(await reader.campaign_fields(subject.name))
        n = sum(dimensions.get("total", {}).values())
    document: dict[str, Any] = {_label(subject): subject.name, "count": n}
    if by is not None:
        document["by"] = {by: dimensions.get(by, {})}
    return document


async def windowed(
    reader: Reader,
    subject: Subject,
    window: str,
    clock: Clock,
    by: str | None = None,
    now: Callable[[], float] = time.time,
) -> dict[str, Any]:
    """Count and velocity in a window, and its posts by one dimension.

    `until` is the window's end in ms since 1970: the watermark, rounded down to the edge of the
    bucket used (whole minutes with `by`).  It and `velocity` (posts/s) are None before the first
    post.
    Raises `UsageError` for an unknown window.
    """
    chosen = window_of(window)
    document: dict[str, Any] = {
        _label(subject): subject.name,
        "window": window,
        "until": None,
        "count": 0,
        "velocity": None,
    }
    at = times(await reader.states(), clock, now())
    if at is not None:
        chosen = chosen.by_dimension() if by else chosen.safe(at.watermark, at.newest)
        until = chosen.until(at.watermark)
        starts = chosen.starts(until)
        document["until"] = until * 1000
        if by is None:
            document["count"] = (await reader.buckets(subject, chosen.step, starts)).total()
        else:
            fields = await reader.fields(subject, chosen.step, starts)
            dimensions = (
                hashtag_dimensions(fields) if subject.kind == "h" else campaign_dimensions(fields)
            )
            # Each post has one platform; a country it may not have.
            document["count"] = sum(dimensions.get("platform", {}).values())
            document["by"] = {by: dimensions.get(by, {})}
        document["velocity"] = velocity(document["count"], chosen.seconds)
    elif by is not None:
        document["by"] = {by: {}}
    return document


def _label(subject: Subject) -> str:
    return "hashtag" if subject.kind == "h" else "campaign"


def _subject(hashtag_: str | None, campaign_: str | None, by: str | None) -> Subject:
    """Raises `UsageError` for arguments that do not go together."""
    if hashtag_ is not None and campaign_ is not None:
        raise UsageError("--hashtag and --campaign exclude each other")
    if hashtag_ is not None:
        tag = canonical(hashtag_.strip().removeprefix("#").removeprefix("\uff03"))
        if not tag or US in tag:
            raise UsageError("--hashtag is empty")
        found = hashtag(tag)
    elif campaign_:
        found = campaign(campaign_)
    else:
        raise UsageError("say what to count: --total, --campaign or --hashtag")
    dimensions = HASHTAG_DIMENSIONS if found.kind == "h" else CAMPAIGN_DIMENSIONS
    if by is not None and by not in dimensions:
        raise UsageError(
            f"no --by {by!r} for a {_label(found)}: take one of {', '.join(dimensions)}"
        )
    return found


async def print_counts(
    settings: Settings,
    hashtag: str | None,
    campaign: str | None,
    window: str | None,
    by: str | None,
    *,
    total: bool,
    as_json: bool,
) -> int:
    """Print what the command line asks for; exit status 0.

    Raises `UsageError` for arguments that do not go together and `UserError` where Redis does not
    answer.
    """
    everything = total or (hashtag is None and campaign is None and window is None and by is None)
    if total and (hashtag, campaign, window, by) != (None, None, None, None):
        raise UsageError("--total stands alone (or with --json)")
    subject = None if everything else _subject(hashtag, campaign, by)
    if window is not None:
        window_of(window)
    redis = connect(settings.redis, retries=2)
    try:
        reader = Reader(redis, Layout(settings.redis.prefix))
        if subject is not None and subject.kind == "c":
            await _require_campaign(settings, reader, subject.name)
        if subject is None:
            document = await total_document(reader)
        elif window is None:
            document = await subject_total(reader, subject, by)
        else:
            document = await windowed(reader, subject, window, settings.exporter.clock, by)
    except (RedisError, OSError, TimeoutError) as error:
        raise unreachable(settings.redis, error) from error
    finally:
        await redis.aclose()
    if as_json:
        typer.echo(json.dumps(document, ensure_ascii=False, sort_keys=True))
    elif subject is None:
        _print_totals(document)
    else:
        _print_subject(document)
    return 0


async def print_rules(settings: Settings, *, as_json: bool) -> int:
    """Print which rules counted from which offset of each partition; exit status 0.

    Raises `UserError` where Redis does not answer.
    """
    redis = connect(settings.redis, retries=2)
    try:
        notes = await applied(Reader(redis, Layout(settings.redis.prefix)))
    except (RedisError, OSError, TimeoutError) as error:
        raise unreachable(settings.redis, error) from error
    finally:
        await redis.aclose()
    if as_json:
        typer.echo(json.dumps([note.document() for note in notes], ensure_ascii=False))
        return 0
    table = Table("partition", "log", "from offset", "program", "campaigns", box=None)
    for note in notes:
        names = ", ".join(f"{name} {version}" for name, version in sorted(note.campaigns.items()))
        table.add_row(note.partition, str(note.gen), str(note.offset), note.program, names)
    Console().print(table)
    return 0


def _print_totals(document: Mapping[str, Any]) -> None:
    console = Console()
    console.print(
        _table(
            "records",
            {name: document[name] for name in document if isinstance(document[name], int)},
        )
    )
    console.print(_table("hashtag", document["hashtags"]))
    for name, counted in document["campaigns"].items():
        console.print(f"campaign {name}: {counted['total']:,} posts", markup=False)
        for dimension in CAMPAIGN_DIMENSIONS:
            console.print(_table(dimension, counted[dimension]))


def _print_subject(document: Mapping[str, Any]) -> None:
    console = Console()
    facts = {name: value for name, value in document.items() if name != "by"}
    if facts.get("until") is not None:
        facts["until"] = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(facts["until"] / 1000))
    if facts.get("velocity") is not None:
        facts["velocity"] = f"{facts['velocity']:,.4f} posts/s"
    for name, value in facts.items():
        console.print(f"{name}: {'-' if value is None else value}", markup=False, highlight=False)
    for dimension, values in document.get("by", {}).items():
        console.print(_table(dimension, values))


def _table(name: str, values: Mapping[str, int]) -> Table:
    table = Table(name, "posts", box=None, padding=(0, 2))
    table.columns[1].justify = "right"
    ranked = sorted(values.items(), key=lambda item: (-item[1], item[0]))
    for value, n in ranked[:_ROWS]:
        table.add_row(value, f"{n:,}")
    if len(ranked) > _ROWS:
        table.add_row(f"{len(ranked) - _ROWS:,} more", f"{sum(n for _, n in ranked[_ROWS:]):,}")
    return table
