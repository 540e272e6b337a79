"""``ganbench board``: a board rebuilt from runs and their scores."""

from __future__ import annotations

from pathlib import Path

import click

from ganbench.cli.options import boards_option, data_dir_option, published_option, quiet_option, runs_option


@click.command()
@click.option("--track", default="mnist5k-quick", show_default=True, help="The track whose board is wanted: a name, or a .toml file.")  # fmt: skip  # noqa: E501
@click.option("--budget", help="The board of another budget, as given to `ganbench run`.")
@click.option("--precision", type=click.Choice(("fp32", "bf16")), help="The board of another number format.")
@click.option("--against", type=click.Choice(("test", "validation")), default="test", show_default=True,
              help="The split that samples were compared with.")  # fmt: skip
@click.option("--format", "form", type=click.Choice(("latex", "html", "json", "md", "csv")), help="Print the table alone in this format, and write no board. LaTeX (booktabs) and md have the main columns, the others all.")  # fmt: skip  # noqa: E501
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="The file that --format goes to, instead of being printed.")  # fmt: skip  # noqa: E501
@click.option("--pictures", type=click.Choice(("png", "svg", "pdf")), help="The format of the curves; svg and pdf are written beside the png. [default: png]")  # fmt: skip  # noqa: E501
@runs_option()
@boards_option()
@published_option()
@data_dir_option()
@quiet_option()
def board(
    track: str, budget: str | None, precision: str | None, against: str, form: str | None, output: Path | None,
    pictures: str | None, runs: Path, boards: Path, published: Path, data_dir: Path | None, quiet: bool,
) -> None:  # fmt: skip
    """Rebuild a board from the runs under --runs and their scores, and show it whole; nothing is trained or scored.

    Published rows that were trained and scored in the same way are shown below, marked.

    \b
    ganbench board --format latex --output board.tex     for a paper: \\input{board}
    ganbench board --format json | jq .first_place       for a program
    """
    from ganbench.boards.board import build_board
    from ganbench.boards.export import export
    from ganbench.boards.terminal import table
    from ganbench.boards.write import write_board
    from ganbench.cli.console import console
    from ganbench.errors import RequestError
    from ganbench.experiment.protocols import board_request
    from ganbench.registry.catalog import known_sources
    from ganbench.store.store import Store
    from ganbench.util.atomic_io import check_writable, write_text
    from ganbench.util.text import one_line

    if output is not None and form is None:
        raise RequestError(f"--output {output}: say which table goes there: --format latex, html, json, md or csv")
    if pictures is not None and form is not None:
        raise RequestError("--pictures: --format writes a table and no pictures: leave one of them out")
    request = board_request(track, budget=budget, precision=precision, against=against, data_dir=data_dir)
    found = build_board(request, [Store(runs)], published, known_sources=known_sources())
    if not found.models:
        raise RequestError(
            f"track {request.track.name!r}: no run of it in {runs}, and none is published in {published}: "
            f"train with `ganbench run --track {track}`"
        )
    if form is not None:
        if output is None:
            click.echo(export(found, form), nl=False)
        else:
            check_writable(output.parent, "--output")
            write_text(output, export(found, form))
        if not quiet:
            refused = (f"refused {each.path}: {each.reason}" for each in found.refused)
            for line in (*refused, *map(str, (*found.superseded, *found.left_out))):
                click.echo(f"ganbench: {one_line(line)}", err=True)  # a table that others read holds rows alone
        return
    check_writable(boards, "--boards")
    files = write_board(found, boards, pictures or "png")
    if not quiet:
        console().print(table(found))
        click.echo(f"\n{files}")
