"""`streams dead`."""

from __future__ import annotations

from typing import Annotated

import typer

from streams.cli.options import ConfigOption, JsonFlag, read_settings, run

dead_app = typer.Typer(help="What was refused and why; send it back to the raw topic.")
ReasonOption = Annotated[
    str | None,
    typer.Option(help="Letters of this reason only; what replay sends so, it does not remember."),
]


@dead_app.callback(invoke_without_command=True)
def dead(context: typer.Context, config: ConfigOption = None) -> None:
    """What was refused and why; send it back to the raw topic."""
    if context.invoked_subcommand is None:
        dead_list(config=config)


@dead_app.command("list")
def dead_list(
    reason: ReasonOption = None,
    limit: Annotated[int, typer.Option(min=0, max=100_000, help="The newest so many.")] = 20,
    as_json: JsonFlag = False,
    config: ConfigOption = None,
) -> None:
    """Dead letters by reason, and the newest with their detail; never their text."""
    from streams.dead import list_dead

    settings = read_settings(config)
    run(lambda: list_dead(settings, reason=reason, limit=limit, as_json=as_json))


@dead_app.command("replay")
def dead_replay(
    reason: ReasonOption = None,
    again: Annotated[
        bool, typer.Option("--again", help="Also those that were sent back before.")
    ] = False,
    config: ConfigOption = None,
) -> None:
    """Send dead letters back to the raw topic, unchanged; each once."""
    from streams.dead import replay_dead

    settings = read_settings(config)
    run(lambda: replay_dead(settings, reason=reason, again=again))
