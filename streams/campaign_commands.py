"""The commands `campaign add|list|show|end`: what is counted, changed while workers run."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any, Final

import typer
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from redis.exceptions import RedisError

from streams.campaigns import Campaign, load
from streams.campaigns.describe import describe
from streams.campaigns.versions import revision
from streams.catalog import Catalog, CatalogReader
from streams.config import Settings
from streams.errors import UsageError, UserError
from streams.kafka import client_options, unreachable
from streams.keys import Layout
from streams.preview import Preview, preview
from streams.redis_client import connect
from streams.redis_client import unreachable as redis_unreachable
from streams.store.reads import Reader
from streams.store.rules import Applied, applied

_BYTES: Final = 900_000  # of a file, so that any broker takes the record


async def add(settings: Settings, file: str, *, dry_run: bool, records: int) -> int:
    """Check a campaign file, show what it would find, and put it into the topic."""
    _needs_topic(settings)
    campaign = load(file)
    content = _text(file)
    known = {one.name: one for one in (await catalog(settings)).campaigns()}.get(campaign.name)
    if known is not None and known.version == campaign.version and known != campaign:
        raise UserError(
            f"campaign {campaign.name}: version {known.version} is in force with another content: "
            "give the file another version"
        )
    _print_preview(campaign, await preview(settings, campaign, records))
    if dry_run:
        return 0
    if known == campaign:
        typer.echo(f"campaign {campaign.name} {campaign.version} is in force already")
        return 0
    offset = await _send(settings, campaign.name, content)
    typer.echo(
        f"campaign {campaign.name} {campaign.version}: offset {offset} of "
        f"{settings.kafka.topics.campaigns}; each partition counts it from its next batch on, and "
        f"notes the offset: streams campaign show {campaign.name}\n"
        "what has passed is counted, too, by: "
        f"streams recount --campaign {campaign.name} --since 2017-10-15T20:21:00Z (any time)"
    )
    return 0


async def end(settings: Settings, name: str) -> int:
    """Take a campaign out of the topic; its totals stay."""
    _needs_topic(settings)
    found = await catalog(settings)
    if name not in found.of_topic:
        if name in found.of_files:
            raise UsageError(f"campaign {name} is a file of the configuration: remove it there")
        raise UsageError(f"there is no campaign {name}: streams campaign list")
    offset = await _send(settings, name, None)
    after = f"; the file's version {v} counts again" if (v := _of_file(found, name)) else ""
    typer.echo(f"campaign {name} ends: offset {offset} of {settings.kafka.topics.campaigns}{after}")
    return 0


async def list_all(settings: Settings, *, as_json: bool) -> int:
    """The campaigns in force: name, version, and where they come from."""
    found = await catalog(settings)
    rows = [
        {
            "campaign": campaign.name,
            "version": campaign.version,
            "from": "topic" if campaign.name in found.of_topic else "file",
            "hashtags": len(campaign.all_hashtags),
            "phrases": len(campaign.all_phrases),
        }
        for campaign in found.campaigns()
    ]
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False))
        return 0
    for row in rows:
        typer.echo(
            f"{row['campaign']}  {row['version']}  ({row['from']}; {row['hashtags']} hashtags, "
            f"{row['phrases']} phrases)"
        )
    return 0


async def show(settings: Settings, name: str, *, as_json: bool) -> int:
    """One campaign, and from which offsets on each partition counted which revision of it."""
    campaign = {one.name: one for one in (await catalog(settings)).campaigns()}.get(name)
    notes = await _applied(settings)
    changes = _changes(notes, name)
    if campaign is None and not changes:
        raise UsageError(f"there is no campaign {name}, and there was none: streams campaign list")
    now = None if campaign is None else revision(campaign)
    document: dict[str, Any] = {
        "campaign": name,
        "revision": now,
        **({} if campaign is None else describe(campaign)),
        "applied": changes,
    }
    if as_json:
        typer.echo(json.dumps(document, ensure_ascii=False))
        return 0
    typer.echo(f"{name}: {'has ended' if now is None else now}")
    if campaign is not None:
        typer.echo("hashtags: " + " ".join(f"#{tag}" for tag in describe(campaign)["hashtags"]))
    for change in changes:
        typer.echo(
            f"{change['partition']} from offset {change['offset']} on: "
            f"{change['revision'] or 'not counted'}"
        )
    return 0


async def catalog(settings: Settings) -> Catalog:
    """Files, and the topic where it is used.  Raises `UserError`."""
    found = Catalog([load(name) for name in settings.campaigns])
    if settings.kafka.campaigns == "topic":
        reader = CatalogReader(settings.kafka, found)
        try:
            await reader.start()
        except (KafkaError, OSError) as error:
            raise unreachable(settings.kafka, error) from error
        finally:
            await reader.stop()
    return found


def _needs_topic(settings: Settings) -> None:
    if settings.kafka.campaigns != "topic":
        raise UsageError(
            'campaigns come from files only: set kafka.campaigns = "topic" '
            "(STREAMS_KAFKA__CAMPAIGNS) for workers and commands, and create the topic with "
            "streams check --create-topics"
        )


def _of_file(found: Catalog, name: str) -> str | None:
    return found.of_files[name].version if name in found.of_files else None


def _text(file: str) -> bytes:
    path = Path(file)
    if not path.is_file():
        raise UsageError(f"campaign {file} is shipped: name it in `campaigns`, or copy its file")
    content = path.read_bytes()
    if len(content) > _BYTES:
        raise UsageError(f"campaign file {file} has more than {_BYTES:,} bytes")
    return content


async def _send(settings: Settings, name: str, content: bytes | None) -> int:
    producer = AIOKafkaProducer(
        **client_options(settings.kafka), enable_idempotence=True, acks="all"
    )
    try:
        await producer.start()
        topic = settings.kafka.topics.campaigns
        sent = await producer.send_and_wait(topic, content, key=name.encode(), partition=0)
    except (KafkaError, OSError) as error:
        raise unreachable(settings.kafka, error) from error
    finally:
        await producer.stop()
    return int(sent.offset)


async def _applied(settings: Settings) -> list[Applied]:
    redis = connect(settings.redis, retries=2)
    try:
        return await applied(Reader(redis, Layout(settings.redis.prefix)))
    except (RedisError, OSError, TimeoutError) as error:
        raise redis_unreachable(settings.redis, error) from error
    finally:
        await redis.aclose()


def _changes(notes: list[Applied], name: str) -> list[dict[str, Any]]:
    """The notes in which the campaign's revision is another one than in the note before."""
    changes: list[dict[str, Any]] = []
    last: dict[tuple[str, int], str | None] = {}
    for note in notes:
        place, now = (note.partition, note.gen), note.campaigns.get(name)
        if now != last.get(place):
            changes.append(
                {
                    "partition": note.partition,
                    "gen": note.gen,
                    "offset": note.offset,
                    "revision": now,
                }
            )
        last[place] = now
    return changes


def _print_preview(campaign: Campaign, found: Preview) -> None:
    if found.until is None or found.since is None:
        typer.echo(f"campaign {campaign.name}: the topic is empty, nothing to preview")
        return
    share = "all of" if found.whole else "the newest of"
    until = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(found.until / 1000))
    typer.echo(
        f"campaign {campaign.name} {campaign.version}: {found.matched:,} of {found.read:,} posts "
        f"({share} the hour before {until})"
    )
    for title, counts in (("via", found.via), ("stance", found.stance)):
        if counts:
            told = ", ".join(f"{name} {n:,}" for name, n in counts.most_common())
            typer.echo(f"  {title}: {told}")
    for uid in found.examples:
        typer.echo(f"  {uid}")
