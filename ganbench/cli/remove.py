"""``ganbench remove``: a run, or all runs of a row, taken away."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from ganbench.cli.options import published_option, runs_option


@click.command()
@click.argument("what", metavar="KEY|LABEL")
@runs_option()
@published_option()
@click.option("--yes", is_flag=True, help="Do not ask.")
def remove(what: str, runs: Path, published: Path, yes: bool) -> None:
    """Remove a run by its key (or its first letters), or all runs of a row by its label, yours and published.

    Published boards that they stood on are written again.
    """
    from ganbench.boards.remove import find
    from ganbench.boards.remove import remove as take_away
    from ganbench.errors import RequestError

    found = find(what, runs, published)
    for each in found:
        click.echo(each)
    if not yes:
        if not sys.stdin.isatty():
            raise RequestError(f"{what!r}: {len(found)} runs would be removed: pass --yes")
        click.confirm(f"Remove {len(found)} runs?", abort=True)
    take_away(found, published)
    click.echo(f"removed {len(found)} runs")
