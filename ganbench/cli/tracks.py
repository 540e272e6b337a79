"""``ganbench tracks`` and ``ganbench tracks show NAME``."""

from __future__ import annotations

import click

from ganbench.cli.table_printer import print_table
from ganbench.errors import RequestError, did_you_mean
from ganbench.registry.catalog import catalog


@click.group(invoke_without_command=True)
@click.pass_context
def tracks(context: click.Context) -> None:
    """List the tracks; `tracks show NAME` prints one."""
    if context.invoked_subcommand is None:
        columns = ("name", "dataset", "budget", "seeds", "samples", "extractor", "summary")
        rows = [[str(track[column]) for column in columns] for track in catalog()["tracks"]]
        drop = ("samples", "extractor", "seeds", "dataset", "budget")
        print_table("tracks", columns, rows, fold=("summary",), drop=drop)


@tracks.command()
@click.argument("name")
def show(name: str) -> None:
    """Print one track, field by field, as its .toml file says it."""
    known = {track["name"]: track for track in catalog()["tracks"]}
    if name not in known:
        raise RequestError(f"unknown track {name!r}{did_you_mean(name, known)}")
    for field, value in known[name].items():
        if field != "origin":
            click.echo(f"{field} = {value!r}" if isinstance(value, int) else f'{field} = "{value}"')
