"""``ganbench reproduce``: a published trial trained again and compared with its record."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ganbench.cli.options import folder_option
from ganbench.cli.signals import Ended, orderly_end

if TYPE_CHECKING:
    from rich.table import Table

    from ganbench.reproduction.compare import Comparison


@click.command()
@click.argument("record", metavar="KEY|record.json")
@folder_option("--out", "reproduced", "Where it is trained: never where the record lies.")
@folder_option("--runs", "runs", "Where trials are kept.")
@folder_option("--boards", "leaderboards", "Where boards are published, with their records.")
@folder_option("--data-dir", None, "Where data sets lie or go. [default: GANBENCH_DATA, else a cache]")
@click.option("--weights", type=click.Path(dir_okay=False, path_type=Path), help="The extractor's weights, as a file.")
@click.option("--device", help="auto, cpu, cuda or cuda:N. [default: as recorded, where that is here]")
@click.option("--threads", type=int, help="Threads of the trial; they decide last digits. [default: as recorded]")
@click.option("--plugin", metavar="FILE.py:Class", help="Where a model that came from a file lies now.")
@click.option(
    "--json", "json_file", type=click.Path(dir_okay=False, path_type=Path), help="Write the whole comparison."
)
@click.option("--quiet", is_flag=True, help="Print nothing but errors.")
def reproduce(json_file: Path | None, quiet: bool, **options: object) -> int:
    """Train a trial again as its record says, and compare: equal, within noise, or different, and why.

    KEY (or its first letters) is looked for under --runs, then among published records under --boards.

    Exit status: 0 equal or within noise; 1 different, or the trial failed unlike the record; 2 it cannot be reproduced
    here (another source, data set, extractor, metric or protocol), or the request was wrong.
    """
    from ganbench.cli.run_display import Display
    from ganbench.registry.builtins import discover
    from ganbench.registry.registry import Broken
    from ganbench.reproduction.reproduce import Request, prepare
    from ganbench.util.atomic_io import check_writable, write_text

    def warn(broken: Broken) -> None:
        if not quiet:
            click.echo(f"ganbench: left out a broken plugin, {broken.origin}: {broken.error}", err=True)

    request = Request(**options, command=("ganbench", *sys.argv[1:]))  # type: ignore[arg-type]
    reproduction = prepare(request, discover(warn))
    if json_file is not None:
        check_writable(json_file.parent, "--json")
    display = Display(reproduction.session, quiet=quiet)
    try:
        with orderly_end(), display:
            comparison = reproduction.run(display.show)
    except Ended as end:
        kept = reproduction.session.out / reproduction.record.key
        print(
            f"ganbench: interrupted: what is done is kept in {kept}; the same command goes on with it", file=sys.stderr
        )
        return 128 + end.number
    if json_file is not None:
        write_text(json_file, comparison.model_dump_json(indent=1) + "\n")
    if not quiet:
        _show(comparison)
    return int(comparison.verdict == "different")


def _show(comparison: Comparison) -> None:
    from rich.text import Text

    from ganbench.cli.run_display import console

    def say(text: str, style: str = "") -> None:
        screen.print(Text(text, style), soft_wrap=True)

    screen = console()
    screen.print()
    if comparison.metrics:
        screen.print(_table(comparison))
        if any(each.beyond for each in comparison.metrics):
            say("* beyond what its own seeds would explain")
        screen.print()
    for each in comparison.why:
        say(f"it may be: {each}")
    if comparison.why:
        say(f"the rule: {comparison.rule}")
    say(f"recorded in {comparison.recorded.path}, reproduced in {comparison.reproduced.path}")
    style = {"equal": "bold green", "within noise": "bold yellow", "different": "bold red"}[comparison.verdict]
    say(f"{comparison.verdict}: {comparison.sentence}", style)


def _table(comparison: Comparison) -> Table:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    spreads = {each.n for each in comparison.metrics}
    over = f" (n = {spreads.pop()})" if len(spreads) == 1 else ""
    table = Table(box=SIMPLE_HEAD, show_edge=False)
    for column in ("metric", "recorded", "reproduced", "difference", f"sd{over}", "in sds", ""):
        table.add_column(column, justify="left" if column in ("metric", "") else "right")
    for each in comparison.metrics:
        old, new, sd = (
            "–" if value is None else f"{value:.{each.digits + 1}f}"
            for value in (each.recorded, each.reproduced, each.sd)
        )
        apart, units = (
            "–" if value is None else f"{value:+.2g}" if value else "0" for value in (each.difference, each.in_sds)
        )
        table.add_row(each.title, old, new, apart, sd, units, "*" if each.beyond else "")
    return table
