"""``ganbench compare``: two rows of a board, or two reports of ``ganbench evaluate``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from ganbench.cli.options import data_dir_option, published_option, runs_option
from ganbench.errors import RequestError


@click.command()
@click.argument("a")
@click.argument("b")
@click.option("--track", default="mnist5k-quick", show_default=True, help="The track whose board is meant: a name, or a .toml file.")  # fmt: skip  # noqa: E501
@click.option("--budget", help="The board of another budget, as given to `ganbench run`.")
@click.option("--precision", type=click.Choice(("fp32", "bf16")), help="The board of another number format.")
@click.option("--against", type=click.Choice(("test", "validation")), default="test", show_default=True,
              help="The split that samples were compared with.")  # fmt: skip
@runs_option()
@published_option()
@data_dir_option()
@click.option("--json", "as_json", is_flag=True, help="Print JSON; docs/compare.md describes its keys.")
@click.pass_context
def compare(context: click.Context, /, a: str, b: str, as_json: bool, **options: Any) -> int:
    """Say which of two is better, by how much, and how sure that is.

    \b
    ganbench compare dcgan "vae[latent_dim=64]"     two rows of a board, yours or published
    ganbench compare mine.json theirs.json          two reports of `ganbench evaluate --json`

    A label that you and the published board both have means your row; "dcgan (published)" means the published one.

    Exit status: 0 compared; 1 two reports whose numbers do not compare; 2 the request was wrong.
    """
    from ganbench.scoring.external.report_file import SUFFIX

    reports = [word.endswith(SUFFIX) for word in (a, b)]
    if not any(reports):
        return _rows(a, b, as_json, options)
    if not all(reports):
        raise RequestError(f"{a} and {b}: compare two rows of a board, or two reports ({SUFFIX}), not one of each")
    given = [name for name in options if context.get_parameter_source(name) is ParameterSource.COMMANDLINE]
    if given:
        raise RequestError(f"--{given[0].replace('_', '-')} applies to rows of a board, not to reports: leave it out")
    return _reports(Path(a), Path(b), as_json)


def _rows(a: str, b: str, as_json: bool, options: dict[str, Any]) -> int:
    from ganbench.boards.board import build_board
    from ganbench.boards.compare import compare_on
    from ganbench.boards.compare_json import as_json as values_of
    from ganbench.cli.comparison_view import show_rows
    from ganbench.experiment.protocols import board_request
    from ganbench.registry.catalog import known_sources
    from ganbench.store.store import Store

    runs, published = options.pop("runs"), options.pop("published")
    request = board_request(options.pop("track"), **options)
    found = compare_on(build_board(request, [Store(runs)], published, known_sources=known_sources()), a, b)
    if as_json:
        click.echo(json.dumps(values_of(found), indent=1, allow_nan=False))
    else:
        show_rows(found)
    return 0


def _reports(a: Path, b: Path, as_json: bool) -> int:
    from ganbench.cli.report_comparison_view import show_reports
    from ganbench.scoring.external.compare_reports import compare_reports
    from ganbench.scoring.external.report_file import read_report

    found = compare_reports(read_report(a), read_report(b))
    if as_json:
        click.echo(json.dumps(found.as_json(), indent=1, allow_nan=False))
    else:
        show_reports(found)
    return int(not found.comparable)
