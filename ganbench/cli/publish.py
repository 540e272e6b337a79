"""``ganbench publish``: runs merged into the published leaderboards."""

from __future__ import annotations

from pathlib import Path

import click

from ganbench.cli.options import data_dir_option, published_option, quiet_option, runs_option


@click.command()
@click.option("--track", default="mnist5k-quick", show_default=True, help="The track whose runs are published.")
@click.option("--budget", help="The board of another budget, as given to `ganbench run`.")
@runs_option()
@published_option()
@data_dir_option()
@quiet_option()
def publish(track: str, budget: str | None, runs: Path, published: Path, data_dir: Path | None, quiet: bool) -> None:
    """Merge the runs of a track into --published, and write its board there.

    Keys, checksums and hashes of samples are checked first. Refused are a track whose name is taken with other content,
    and a record that contradicts itself.
    """
    from ganbench.boards.publish import publish as merge
    from ganbench.boards.terminal import table
    from ganbench.cli.console import console
    from ganbench.experiment.protocols import board_request
    from ganbench.registry.catalog import known_sources
    from ganbench.store.store import Store

    request = board_request(track, budget=budget, data_dir=data_dir)
    board, keys = merge(request, Store(runs), published, known_sources=known_sources())
    if not quiet:
        console().print(table(board))
        click.echo(f"\npublished {len(keys)} runs: {published / board.name}.md")
