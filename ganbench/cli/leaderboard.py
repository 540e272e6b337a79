"""``ganbench leaderboard``."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.option("--track", default="mnist5k-quick", show_default=True, help="The track whose board is wanted.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), default=Path("runs"), show_default=True,
              help="Where the trials lie.")  # fmt: skip
@click.option("--boards", type=click.Path(file_okay=False, path_type=Path), default=Path("leaderboards"), show_default=True,
              help="Where boards are published.")  # fmt: skip
@click.option("--quiet", is_flag=True, help="Print nothing.")
def leaderboard(track: str, out: Path, boards: Path, quiet: bool) -> None:
    """Rebuild a board from the records under --out and those published beside it, and show it."""
    from ganbench.cli.progress import console
    from ganbench.boards.publish import publish
    from ganbench.boards.terminal import table

    board = publish(track, out, boards)
    if not quiet:
        console().print(table(board))
        click.echo(f"\n{boards / track}.md")
