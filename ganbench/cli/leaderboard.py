"""``ganbench leaderboard``."""

from __future__ import annotations

from pathlib import Path

import click

from ganbench.cli.options import folder_option


@click.command()
@click.option("--track", default="mnist5k-quick", show_default=True, help="The track whose board is wanted.")
@folder_option("--out", "runs", "Where the trials lie.")
@folder_option("--boards", "leaderboards", "Where boards are published.")
@click.option("--quiet", is_flag=True, help="Print nothing.")
def leaderboard(track: str, out: Path, boards: Path, quiet: bool) -> None:
    """Rebuild a board from the records under --out and those published beside it, and show it."""
    from ganbench.boards.publish import publish
    from ganbench.boards.terminal import table
    from ganbench.cli.run_display import console
    from ganbench.util.atomic_io import check_writable

    check_writable(boards, "--boards")
    board = publish(track, out, boards)
    if not quiet:
        console().print(table(board))
        click.echo(f"\n{boards / track}.md")
