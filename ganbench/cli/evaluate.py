"""``ganbench evaluate``: scores for samples from any program."""

from __future__ import annotations

import sys
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import click

from ganbench.cli.options import folder_option
from ganbench.errors import RequestError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from ganbench.report import Report

ORACLE = "classifier trained on samples that the frozen extractor labelled, whose knowledge leaks in: never ranks"


@click.command()
@click.argument("samples")
@click.option("--track", help="The track whose reference, extractor and settings count. [default: mnist5k-quick, or the run's own]")  # fmt: skip  # noqa: E501
@click.option("--reference", help="Other real images: a track, a data set, a folder, or a .npy or .npz file.")
@click.option("--extractor", help="Another extractor; `ganbench extractors` lists them.")
@click.option("--labels", help="A .npy file of class numbers; or the word folders: sub-folders are named by them.")
@click.option("--samples", "n", type=int, help="Score this many, drawn once at random. [default: all; a run: as its track says]")  # fmt: skip  # noqa: E501
@click.option("--layout", type=click.Choice(("nhwc", "nchw")), help="How arrays lie, where their shape does not say.")
@click.option("--range", "value_range", type=click.Choice(("0-1", "-1-1")),
              help="What floats mean, where their values do not say.")  # fmt: skip
@click.option("--json", "json_file", type=click.Path(dir_okay=False, path_type=Path), help="Write the report here.")
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or cuda:N.")
@folder_option("--data-dir", None, "Where data sets lie or go. [default: GANBENCH_DATA, else a cache]")
@click.option("--weights", type=click.Path(dir_okay=False, path_type=Path), help="The extractor's weights, as a file.")
@click.option("--quiet", is_flag=True, help="Print nothing but errors.")
def evaluate(json_file: Path | None, quiet: bool, **options: Any) -> None:
    """Score SAMPLES: a folder of PNG, JPEG or WebP files, an .npy or .npz file, or the folder of a run.

    \b
    ganbench evaluate samples/                           against the test digits of mnist5k
    ganbench evaluate fake.npz --reference real_folder/  against your own images
    ganbench evaluate runs/KEY                           the numbers of that trial's record again
    """
    from ganbench.cli.progress import console
    from ganbench.files import check_writable
    from ganbench.registry import Broken
    from ganbench.scoring import Request, score
    from ganbench.shipped import discover

    def warn(broken: Broken) -> None:
        if not quiet:
            click.echo(f"ganbench: left out a broken plugin, {broken.origin}: {broken.error}", err=True)

    if json_file is not None:
        check_writable(json_file.parent, "--json")
    screen = console()
    request = Request(**options, command=("ganbench", *sys.argv[1:]))
    with _Bar(screen, shown=screen.is_terminal and not quiet) as bar:
        report = score(request, discover(warn), bar.move)
    if json_file is not None:
        try:
            report.write(json_file)
        except OSError as error:
            raise RequestError(f"--json {json_file}: cannot be written ({error.strerror})") from error
    if not quiet:
        _print(report, screen)
        if json_file is not None:
            click.echo(json_file)


class _Bar:
    """One bar, for whatever is being done; nothing where there is no terminal."""

    def __init__(self, screen: Console, *, shown: bool) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (TextColumn("{task.description}"), BarColumn(24), MofNCompleteColumn(), TimeRemainingColumn())
        self._progress = Progress(*columns, console=screen, transient=True, disable=not shown)
        self._task = self._progress.add_task("loading", total=None)

    def __enter__(self) -> _Bar:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def move(self, what: str, done: int, total: int) -> None:
        self._progress.update(self._task, description=what, completed=done, total=total or None)


def _print(report: Report, screen: Console) -> None:
    from rich.text import Text

    content = report.content
    samples, reference, extractor = content["samples"], content["reference"], content["extractor"]
    screen.print(_table(report))
    lines = [
        f"samples    {samples['name']}: {samples['n']:,} of {samples['available']:,} images,"
        f" sha256 {samples['sha256'][:12]}",
        f"reference  {reference['name']}: {reference['n']:,} images, sha256 {reference['sha256'][:12]}",
        f"extractor  {extractor['name']}, sha256 {extractor['sha256'][:12]}",
        *(f"note: {note}" for note in report.notes),
    ]
    for line in lines:
        screen.print(Text(line), soft_wrap=True)


def _table(report: Report) -> Table:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, show_edge=False)
    for column in ("metric", "value", "n", "better", "what it means"):
        table.add_column(column, justify="right" if column in ("value", "n") else "left", overflow="fold")
    for metric in report.metrics:
        digits = max(metric.digits, 3) if metric.name == "fid" else metric.digits
        value = f"{report.scores[metric.name]:.{digits}f}"
        if f"{metric.name}_sd" in report.scores:
            value += f" (sd {report.scores[f'{metric.name}_sd']:.{digits}f})"
        better = {"lower": "↓ lower", "higher": "↑ higher", "neither": ""}[metric.direction]
        meaning = ORACLE if metric.name == "acc_oracle" else metric.meaning
        cells = (metric.title, value, f"{report.n:,}", better, meaning)
        table.add_row(*(Text(cell) for cell in cells))
    return table
