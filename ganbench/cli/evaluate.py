"""``ganbench evaluate``: scores for samples from any program."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ganbench.cli.options import data_dir_option, device_option, quiet_option
from ganbench.errors import RequestError

if TYPE_CHECKING:
    from rich.console import Console

    from ganbench.scoring.external.report import Report


@click.command()
@click.argument("samples")
@click.option("--track", help="The track that sets the reference, extractor and settings. [default: mnist5k-quick, or the run's own]")  # fmt: skip  # noqa: E501
@click.option(
    "--reference", help="Other real images: a track, a data set, a folder, a .npy or .npz file, or saved statistics."
)
@click.option("--extractor", help="Another extractor, by name or file; `ganbench extractors` lists them.")
@click.option("--metrics", help="Names, such as standard,vendi, or all; `ganbench metrics` lists them.")
@click.option("--labels", help="A .npy file of class numbers, for files in the order 1, 2, 10; or the word folders: sub-folders are classes.")  # fmt: skip  # noqa: E501
@click.option("--samples", "n", type=int, help="Score this many, drawn once at random. [default: all; a run: as its track says]")  # fmt: skip  # noqa: E501
@click.option("--layout", type=click.Choice(("nhwc", "nchw")), help="Layout of an array whose shape is ambiguous.")
@click.option("--range", "value_range", type=click.Choice(("0-1", "-1-1")),
              help="Range of floats whose values are ambiguous.")  # fmt: skip
@click.option("--json", "json_file", type=click.Path(dir_okay=False, path_type=Path), help="Write the report here.")
@click.option("--against", type=click.Choice(("test", "validation")), default="test", show_default=True,
              help="The split of the data set that samples are compared with.")  # fmt: skip
@device_option()
@data_dir_option()
@click.option("--weights", type=click.Path(dir_okay=False, path_type=Path), help="The extractor's weights, as a file.")
@click.option("--save-statistics", type=click.Path(dir_okay=False, path_type=Path), help="Write the samples' mean and covariance, for a later --reference.")  # fmt: skip  # noqa: E501
@quiet_option()
def evaluate(json_file: Path | None, quiet: bool, **options: Any) -> None:
    """Score SAMPLES: a folder of PNG, JPEG, WebP or BMP files, an .npy or .npz file, or the folder of a run.

    \b
    ganbench evaluate samples/                           against the test digits of mnist5k
    ganbench evaluate fake.npz --reference real_folder/  against your own images
    ganbench evaluate runs/KEY                           the scores of that run's samples again
    """
    from ganbench.cli.console import console
    from ganbench.cli.progress_bar import Bar
    from ganbench.cli.warnings import warn_of_broken
    from ganbench.registry.without_models import discover_without_models
    from ganbench.scoring.external.evaluate import Request, score
    from ganbench.util.atomic_io import check_writable

    for option, file in (("--json", json_file), ("--save-statistics", options["save_statistics"])):
        if file is not None:
            check_writable(file.parent, option)
    screen = console()
    request = Request(**options, command=("ganbench", *sys.argv[1:]))
    with Bar(screen, shown=screen.is_terminal and not quiet, lines=not quiet) as bar:
        report = score(request, discover_without_models(warn_of_broken(quiet=quiet)), bar.move)
    if json_file is not None:
        try:
            report.write(json_file)
        except OSError as error:
            raise RequestError(f"--json {json_file}: cannot be written ({error.strerror})") from error
    if not quiet:
        _print(report, screen)
        for file in (json_file, request.save_statistics):
            if file is not None:
                click.echo(file)


def _print(report: Report, screen: Console) -> None:
    from rich.text import Text

    from ganbench.cli.table_printer import print_table

    content = report.content
    samples, reference, extractor = content["samples"], content["reference"], content["extractor"]
    columns = ("metric", "value", "± se", "n", "better", "what it means")
    drop = ("better", "n", "what it means", "± se")
    print_table("scores", columns, _rows(report), fold=("what it means",), drop=drop, right=("value", "± se", "n"))
    lines = [
        f"samples    {samples['name']}: {samples['n']:,} of {samples['available']:,} images,"
        f" sha256 {samples['sha256'][:12]}",
        f"reference  {reference['name']}: {reference['n']:,} images, sha256 {reference['sha256'][:12]}",
        f"extractor  {extractor['name']}, sha256 {extractor['sha256'][:12]}",
        *(f"not scored {', '.join(names)}: {why}" for why, names in _skipped(report).items()),
        *(f"note: {note}" for note in report.notes),
    ]
    for line in lines:
        screen.print(Text(line), soft_wrap=True)


def _skipped(report: Report) -> dict[str, list[str]]:
    """Return titles by the reason why they have no value."""
    reasons: dict[str, list[str]] = {}
    for metric in report.info:
        if metric.name in report.result.skipped:
            reasons.setdefault(report.result.skipped[metric.name], []).append(metric.title)
    return reasons


def _rows(report: Report) -> Iterator[tuple[str, ...]]:
    from ganbench.boards.formatting import metric_value

    for metric in report.info:
        score = report.result.scores.get(metric.name)
        if score is None:
            continue
        digits = max(metric.digits, 3)
        error = "" if score.se is None else metric_value(score.se, metric, digits)
        better = {"lower": "↓ lower", "higher": "↑ higher", "neither": ""}[metric.direction]
        yield metric.title, metric_value(score.value, metric, digits), error, f"{score.n:,}", better, metric.meaning
