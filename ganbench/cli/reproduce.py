"""``ganbench reproduce``: a recorded run trained again and compared with its record."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ganbench.cli.options import (  # noqa: E501
    data_dir_option,
    folder_option,
    published_option,
    quiet_option,
    runs_option,
)
from ganbench.cli.signals import Ended, orderly_end

if TYPE_CHECKING:
    from ganbench.reproduction.compare import Comparison


@click.command()
@click.argument("record", metavar="KEY|run.json")
@folder_option("--out", "reproduced", "The folder to train it in; never the record's own.")
@runs_option()
@published_option()
@data_dir_option()
@click.option("--weights", type=click.Path(dir_okay=False, path_type=Path), help="The extractor's weights, as a file.")
@click.option("--device", help="auto, cpu, cuda or cuda:N. [default: as recorded, where that is here]")
@click.option("--threads", type=int, help="Threads of the run; the number affects rounding. [default: as recorded]")
@click.option("--plugin", metavar="FILE.py:Class", help="The present file of a model that came from a file.")
@click.option(
    "--json", "json_file", type=click.Path(dir_okay=False, path_type=Path), help="Write the whole comparison."
)
@quiet_option()
def reproduce(json_file: Path | None, quiet: bool, **options: object) -> int:
    """Train a run again as its record says, and compare: equal, within noise, or different, and why.

    KEY (or its first letters) is looked for under --runs, then among the runs under --published.

    Exit status: 0 equal or within noise; 1 different, or the run failed unlike the record; 2 it cannot be reproduced
    here (other code, training images or version), or the request was wrong.
    """
    from rich.text import Text

    from ganbench.cli.console import console
    from ganbench.cli.warnings import discover_with_warnings
    from ganbench.experiment.execution import News
    from ganbench.reproduction.reproduce import Request, prepare
    from ganbench.util.atomic_io import check_writable, write_text

    request = Request(**options, command=("ganbench", *sys.argv[1:]))  # type: ignore[arg-type]
    reproduction = prepare(request, discover_with_warnings(quiet=quiet))
    if json_file is not None:
        check_writable(json_file.parent, "--json")
    screen, spec = console(), reproduction.job.spec
    who = f"{spec.model_info.label} seed {spec.seed_index}"
    if not quiet:
        for note in reproduction.notes:
            screen.print(Text(note), soft_wrap=True)
    with screen.status(f"{who}: starting") if screen.is_terminal and not quiet else nullcontext() as status:
        shown = [0]

        def show(news: News) -> None:
            text = f"{who}: {news.event.phase} {news.event.share:.0%}" if news.event else ""
            if status is not None and text:
                status.update(text)
            elif not quiet and text and news.event and int(10 * news.event.share) > shown[0]:
                shown[0] = int(10 * news.event.share)
                screen.print(Text(text), soft_wrap=True)

        try:
            with orderly_end():
                comparison = reproduction.run(show)
        except Ended as end:
            kept = reproduction.store.folder(spec.key)
            print(f"ganbench: interrupted: {kept} keeps what is done; the same command goes on", file=sys.stderr)
            return 128 + end.number
    if json_file is not None:
        write_text(json_file, comparison.model_dump_json(indent=1) + "\n")
    if not quiet:
        _show(comparison)
    return int(comparison.verdict == "different")


def _show(comparison: Comparison) -> None:
    from rich.text import Text

    from ganbench.cli.console import console
    from ganbench.cli.table_printer import print_table

    def say(text: str, style: str = "") -> None:
        screen.print(Text(text, style), soft_wrap=True)

    screen = console()
    if comparison.metrics:
        screen.print()
        spreads = {each.n for each in comparison.metrics}
        over = f" (n = {spreads.pop()})" if len(spreads) == 1 else ""
        numbers = ("recorded", "reproduced", "difference", f"sd{over}", "in sds")
        drop = (numbers[3], "in sds", "difference")
        print_table("metrics", ("metric", *numbers, ""), _rows(comparison), fold=(), drop=drop, right=numbers)
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


def _rows(comparison: Comparison) -> Iterator[tuple[str, ...]]:
    from ganbench.boards.formatting import metric_value

    for each in comparison.metrics:
        old, new, sd = (
            "–" if value is None else metric_value(value, each.info, each.info.digits + 1)
            for value in (each.recorded, each.reproduced, each.sd)
        )
        apart, units = (
            "–" if value is None else f"{value:+.2g}" if value else "0" for value in (each.difference, each.in_sds)
        )
        yield each.title, old, new, apart, sd, units, "*" if each.beyond else ""
