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
    """Print one track as its .toml file says it: change a copy, and name that with --track.

    ganbench tracks show mnist5k-quick > mine.toml
    """
    from ganbench.tracks.track import Track

    known = {track["name"]: track for track in catalog()["tracks"]}
    if name not in known:
        raise RequestError(f"unknown track {name!r}{did_you_mean(name, known)}")
    click.echo(Track(**{field: known[name][field] for field in Track.model_fields}).toml(), nl=False)
