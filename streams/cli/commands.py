"""The command line: `streams …`.  Exit status 0, 1 = failed, 2 = bad usage."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import Annotated

import typer

from streams import __version__
from streams.cli.campaigns import campaign_app, recount
from streams.cli.dead import dead_app
from streams.cli.options import ConfigOption, JsonFlag, read_settings, run, set_logging
from streams.errors import UsageError, UserError

app = typer.Typer(
    name="streams",
    help="Watch a hashtag become a movement: exact counts of a campaign's posts while it spreads.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.command()
def worker(config: ConfigOption = None) -> None:
    """Run one worker process: read, dedupe, classify and count posts."""
    from streams.run import main as run_worker

    settings = read_settings(config)
    set_logging(settings.log_level)
    run_worker(settings)


@app.command()
def exporter(config: ConfigOption = None) -> None:
    """Serve /metrics, the API and the live page from what Redis holds."""
    from streams.exporter import serve_exporter

    settings = read_settings(config)
    set_logging(settings.log_level)
    run(lambda: serve_exporter(settings))


@app.command()
def demo(
    posts: Annotated[
        int, typer.Option(min=1, help="How many posts the simulated day has.")
    ] = 500_000,
    speed: Annotated[
        float | None,
        typer.Option(min=0.001, help="Multiple of event time; default: as fast as it goes."),
    ] = None,
    once: Annotated[
        bool, typer.Option("--once", help="End after the replay, with counted against true.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Seed of the simulated day.")] = 1,
    workers: Annotated[int, typer.Option(min=1, max=16, help="Worker processes.")] = 1,
    config: ConfigOption = None,
) -> None:
    """Kafka, Redis, worker and exporter on this machine, and a campaign's first day replayed."""
    from streams.demo import Options, run_demo

    raise typer.Exit(run_demo(Options(posts, speed, once, seed, workers, config)))


@app.command()
def simulate(
    scenario: Annotated[
        str, typer.Argument(help="Name of a scenario, or path of its TOML file.")
    ] = "metoo-day",
    posts: Annotated[int, typer.Option(min=1, help="Lines to write.")] = 500_000,
    seed: Annotated[int, typer.Option(help="The same seed gives the same bytes.")] = 1,
    truth: Annotated[
        Path | None, typer.Option(help="Write the exact expected counts here, as JSON.")
    ] = None,
) -> None:
    """NDJSON of raw posts of a simulated day on stdout."""
    from streams.ingest.commands import write_simulation

    write_simulation(scenario, posts, seed, truth)


@app.command()
def replay(
    files: Annotated[
        list[str], typer.Argument(help="NDJSON files: plain, .gz, .zst, or - for stdin.")
    ],
    topic: Annotated[
        str | None, typer.Option(help="Default: kafka.raw of the configuration.")
    ] = None,
    speed: Annotated[
        float | None,
        typer.Option(min=0.001, help="Multiple of event time; default: as fast as it goes."),
    ] = None,
    unkeyed: Annotated[
        bool, typer.Option("--unkeyed", help="No keys: spread over all partitions.")
    ] = False,
    config: ConfigOption = None,
) -> None:
    """Send NDJSON into Kafka, keyed by uid, with event time as the records' timestamps."""
    from streams.ingest.commands import replay_files

    settings = read_settings(config)
    run(lambda: replay_files(settings, files, topic, speed, keyed=not unkeyed))


@app.command()
def ingest(
    source: Annotated[str, typer.Argument(help="jetstream, mastodon, x, facebook or file.")],
    path: Annotated[
        str | None, typer.Argument(help="Of the source file: NDJSON that grows, a FIFO, or -.")
    ] = None,
    once: Annotated[
        str | None, typer.Option("--once", help="End after so long, e.g. 60s; default: never.")
    ] = None,
    stdout: Annotated[
        bool, typer.Option("--stdout", help="One line a record on stdout, and no Kafka.")
    ] = False,
    config: ConfigOption = None,
) -> None:
    """A platform's live posts into Kafka, keyed by uid; goes on where it was."""
    from streams.config import parse_duration
    from streams.ingest.live.run import run_ingest

    try:
        seconds = None if once is None else parse_duration(once)
    except ValueError as error:
        raise UsageError(f"--once: {error}") from error
    settings = read_settings(config)
    set_logging(settings.log_level)
    run(lambda: run_ingest(settings, source, path, once=seconds, stdout=stdout))


@app.command()
def inspect(
    file: Annotated[str, typer.Argument(help="NDJSON file, or - for stdin.")] = "-",
    campaign: Annotated[
        list[str] | None, typer.Option(help="Campaign name or file; default: metoo.")
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Also say which rule decided what, on which words.")
    ] = False,
    closed: Annotated[
        list[str] | None,
        typer.Option("--closed-hashtags", help="A platform with hashtags between two signs."),
    ] = None,
) -> None:
    """One JSON line for each input line: the decoded, classified post, or why it is none."""
    from streams.ingest.commands import inspect_file

    inspect_file(file, campaign or ["metoo"], explain=explain, closed=closed or ())


@app.command()
def series(
    file: Annotated[str, typer.Argument(help="CSV file timestamp,count, or - for stdin.")] = "-",
) -> None:
    """A series of counts with velocity, burst score, alarm and forecast, as CSV."""
    from streams.series import run

    run(file, sys.stdout)


@app.command()
def counts(
    hashtag: Annotated[str | None, typer.Option(help="A hashtag, with or without #.")] = None,
    campaign: Annotated[str | None, typer.Option(help="A campaign.")] = None,
    window: Annotated[
        str | None, typer.Option(help="1m, 5m, 15m, 1h or 24h; default: totals.")
    ] = None,
    by: Annotated[
        str | None, typer.Option(help="platform, lang, country, kind, via or stance.")
    ] = None,
    total: Annotated[bool, typer.Option("--total", help="All totals.")] = False,
    rules: Annotated[
        bool, typer.Option("--rules", help="Which program and campaign files counted from where.")
    ] = False,
    as_json: JsonFlag = False,
    config: ConfigOption = None,
) -> None:
    """Exact counters from Redis."""
    from streams.counts import print_counts, print_rules

    settings = read_settings(config)
    if rules:
        if total or any((hashtag, campaign, window, by)):
            raise UsageError("--rules stands alone (or with --json)")
        run(lambda: print_rules(settings, as_json=as_json))
    run(lambda: print_counts(settings, hashtag, campaign, window, by, total=total, as_json=as_json))


@app.command()
def forget(
    name: Annotated[
        str, typer.Argument(metavar="UID|AUTHOR", help="platform:id, or an author's digest.")
    ],
    author: Annotated[
        bool, typer.Option("--author", help="The platform:id is an account's, not a post's.")
    ] = False,
    as_json: JsonFlag = False,
    config: ConfigOption = None,
) -> None:
    """Remove what is kept of a post or an author, for good, and say what it was."""
    from streams.forget import run_forget

    settings = read_settings(config)
    run(lambda: run_forget(settings, name, author=author, as_json=as_json))


@app.command()
def top(
    window: Annotated[str, typer.Option(help="1m, 5m, 15m, 1h or 24h.")] = "1h",
    interval: Annotated[float, typer.Option(min=0.2, help="Seconds between two looks.")] = 2.0,
    once: Annotated[bool, typer.Option("--once", help="One look.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="A JSON document a line instead of a table.")
    ] = False,
    config: ConfigOption = None,
) -> None:
    """Campaigns and hashtags as they move, live."""
    from streams.top import run_top

    settings = read_settings(config)
    run(lambda: run_top(settings, window, interval=interval, once=once, as_json=as_json))


app.add_typer(dead_app, name="dead")


@app.command()
def check(
    create_topics: Annotated[
        bool, typer.Option("--create-topics", help="Create the topics that are missing.")
    ] = False,
    config: ConfigOption = None,
) -> None:
    """Is everything reachable, and are topics and configuration right?  One line each."""
    from streams.check import run_check

    settings = read_settings(config)
    run(lambda: run_check(settings, create_topics=create_topics))


app.add_typer(campaign_app)
app.command()(recount)


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(__version__)


def main() -> None:
    """Entry point: errors a user can mend are one line on stderr."""
    # Commands say in one line what is wrong; what clients log beside it is for services only.
    logging.getLogger("aiokafka").addHandler(logging.NullHandler())
    try:
        app()
    except UserError as error:
        typer.echo(f"streams: {error}", err=True)
        sys.exit(error.exit_code)
    except BrokenPipeError:  # `streams simulate … | head`
        sys.stderr.close()
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
