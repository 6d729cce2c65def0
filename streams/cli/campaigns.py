"""`streams campaign`, and `streams recount`."""

from __future__ import annotations

from typing import Annotated

import typer

from streams.cli.options import ConfigOption, JsonFlag, read_settings, run

campaign_app = typer.Typer(
    name="campaign", help="What is counted, changed while workers run.", no_args_is_help=True
)


@campaign_app.command("add")
def campaign_add(
    file: Annotated[str, typer.Argument(help="Path of the campaign's TOML file.")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only check it, and say what it would find.")
    ] = False,
    records: Annotated[
        int, typer.Option(min=1, help="Records that the preview reads, at most.")
    ] = 100_000,
    config: ConfigOption = None,
) -> None:
    """Check a campaign file, preview it on the topic's last hour, and count it from now on."""
    from streams.campaign_commands import add

    settings = read_settings(config)
    run(lambda: add(settings, file, dry_run=dry_run, records=records))


@campaign_app.command("list")
def campaign_list(as_json: JsonFlag = False, config: ConfigOption = None) -> None:
    """The campaigns in force, and where they come from."""
    from streams.campaign_commands import list_all

    settings = read_settings(config)
    run(lambda: list_all(settings, as_json=as_json))


@campaign_app.command("show")
def campaign_show(name: str, as_json: JsonFlag = False, config: ConfigOption = None) -> None:
    """One campaign, and from which offsets on each partition counts it."""
    from streams.campaign_commands import show

    settings = read_settings(config)
    run(lambda: show(settings, name, as_json=as_json))


@campaign_app.command("end")
def campaign_end(name: str, config: ConfigOption = None) -> None:
    """Count a campaign no longer; its totals stay."""
    from streams.campaign_commands import end

    settings = read_settings(config)
    run(lambda: end(settings, name))


def recount(
    campaign: Annotated[str, typer.Option("--campaign", help="Name of a campaign in force.")],
    since: Annotated[
        str,
        typer.Option(
            "--since",
            help="A time, as 2017-10-15T20:21:00Z: from the first record that is as new on. "
            "Counts of the campaign from before it go.",
        ),
    ],
    config: ConfigOption = None,
) -> None:
    """Count a campaign again from the log, as if it had been defined at a time.

    Workers go on meanwhile, and nothing but the campaign's counts is touched.
    Ended on the way, the same command goes on where it was; repeated when it is done, it checks
    that it still holds.
    """
    from streams.recount.command import recount as count_again

    settings = read_settings(config)
    run(lambda: count_again(settings, campaign, since))
