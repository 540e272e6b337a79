"""``ganbench report``: boards as a site that opens from a file."""

from __future__ import annotations

from pathlib import Path

import click

from ganbench.cli.options import data_dir_option, folder_option, published_option, quiet_option, runs_option


@click.command()
@click.option(
    "--track",
    "tracks",
    multiple=True,
    metavar="NAME",
    help="A track, by its name or .toml file; may be given several times. [default: all that have runs]",
)  # noqa: E501
@click.option("--budget", help="The boards of another budget, as given to `ganbench run`.")
@click.option("--precision", type=click.Choice(("fp32", "bf16")), help="The boards of another number format.")
@runs_option()
@published_option()
@folder_option("--out", "report", "The folder that the site is written to.")
@click.option("--single-file", is_flag=True, help="One HTML file a board, with all pictures in it.")
@data_dir_option()
@quiet_option()
def report(
    tracks: tuple[str, ...], budget: str | None, precision: str | None, runs: Path, published: Path, out: Path,
    single_file: bool, data_dir: Path | None, quiet: bool,
) -> None:  # fmt: skip
    """Write boards, models and runs as a site under --out: tables, charts and samples to look at.

    It opens from a file, without a network, and reads without JavaScript. What an earlier report wrote there is
    replaced; nothing else is.
    """
    from ganbench.errors import RequestError
    from ganbench.registry.builtins import discover
    from ganbench.registry.catalog import known_sources
    from ganbench.report import requests
    from ganbench.report.output import check_folder, write_files
    from ganbench.report.site import Shown, build_site
    from ganbench.store.store import Store
    from ganbench.util.atomic_io import check_writable

    def left_out(why: str) -> None:
        click.echo(f"ganbench: left out: {' '.join(why.split())}", err=True)

    check_folder(out)
    registry, places = discover(), requests.Places(Store(runs), published, data_dir)
    if tracks:
        asked = requests.named(tracks, registry, places, budget=budget, precision=precision)
    else:
        asked = requests.found(registry, places, budget=budget, precision=precision, left_out=left_out)
    sources = known_sources()
    shown = []
    for each in asked:
        board = each.board(places, sources)
        if board.models:
            shown.append(Shown(board, each.dataset))
        elif tracks:
            name = board.track.name
            raise RequestError(f"track {name!r}: no run of it in {runs}, and none is published in {published}")
    if not shown:
        raise RequestError(f"no run of any track in {runs}, and none is published in {published}: `ganbench run` first")
    check_writable(out, "--out")
    files = build_site(shown, single_file=single_file)
    write_files(out, files)
    if not quiet:
        first = "index.html" if not single_file else next(iter(files))
        boards = f"{len(shown)} board{'' if len(shown) == 1 else 's'}"
        size = sum(map(len, files.values())) / 2**20
        click.echo(f"{out / first}  {boards}, {len(files)} files, {size:.1f} MiB")
