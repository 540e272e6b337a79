"""``ganbench tune``: the same number of runs for every model, on the validation split."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ganbench.cli.options import (
    RUNS_SHARE,
    data_dir_option,
    device_option,
    engine_option,
    engine_request,
    folder_option,
    quiet_option,
)
from ganbench.cli.signals import Ended, orderly_end

if TYPE_CHECKING:
    from ganbench.experiment.settings_file import Settings
    from ganbench.tuning.search import Search


@click.command()
@click.option("--plugins", required=True, help="Models, e.g. dcgan,vae[latent_dim=64]; or all. What brackets set stays as it is.")  # fmt: skip  # noqa: E501
@click.option("--runs-each", type=int, default=20, show_default=True, help="Settings to try for each model, the defaults among them.")  # fmt: skip  # noqa: E501
@click.option("--track", default="mnist5k-quick", show_default=True, help="A track's name, or a .toml file.")
@click.option("--seeds", default="100-100", show_default=True, help="Which seeds every setting is trained with: 100 and above.")  # fmt: skip  # noqa: E501
@click.option("--budget", help="Another budget: 100kimg, 2000steps, 90s, 5m, or several joined by commas.")
@click.option("--precision", type=click.Choice(("fp32", "bf16")), help="Number format of training steps. [default: the track's]")  # fmt: skip  # noqa: E501
@device_option(RUNS_SHARE)
@engine_option()
@click.option("--set", "settings", multiple=True, metavar="MODEL.PARAMETER=VALUE", help="Set a hyper-parameter, which is then not tuned.")  # fmt: skip  # noqa: E501
@click.option("--jobs", type=int, help="Processes at once. [default: one a core, or 1 on a GPU]")
@click.option(
    "--threads", type=int, help="Threads per process; the number affects rounding. [default: 1, on a GPU all]"
)
@folder_option("--runs", "tuning", "The folder of the runs that are tried, and of Optuna's journal.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="The settings file. [default: TRACK.json in --runs]")  # fmt: skip  # noqa: E501
@data_dir_option()
@click.option("--stall-timeout", metavar="DURATION", help="How long a run may show no progress: 90s, 10m, 2h.")
@quiet_option()
def tune(quiet: bool, **options: object) -> int:
    """Choose hyper-parameters: every model is given the same number of runs, scored against the validation split.

    A model declares what to try beside the fields of its Config. The same command continues an interrupted search; a
    larger --runs-each continues a finished one. `ganbench run --settings FILE` uses what was found.

    Exit status: 0 done; 1 all runs of a model failed; 2 the request was wrong.
    """
    from ganbench.cli.tune_display import Display
    from ganbench.cli.warnings import discover_with_warnings
    from ganbench.tuning.search import Request, prepare

    request = Request(**engine_request(options), command=("ganbench", *sys.argv[1:]))
    search = prepare(request, discover_with_warnings(quiet=quiet))
    display = Display(search, quiet=quiet)
    try:
        with orderly_end(), display:
            settings = search.run(display.show)
    except Ended as end:
        display.interrupted()
        return 128 + end.number
    if not quiet:
        show_settings(search, settings)
    return int(any(settings.models[study.label].best is None for study in search.studies))


def show_settings(search: Search, settings: Settings) -> None:
    """Print what was found: a line for each model, and how to use it."""
    from ganbench.boards.formatting import metric_value
    from ganbench.cli.table_printer import print_table

    info = search.protocols.board.headline
    rows = []
    for study in search.studies:
        found = settings.models[study.label]
        first = found.tried[0].value if found.tried else None
        changed = {name: value for name, value in found.params.items() if study.defaults.get(name) != value}
        best = found.best.value if found.best else None
        values = [metric_value(value, info) if value is not None else "–" for value in (first, best)]
        failed = sum(each.value is None for each in found.tried)
        told = ", ".join(f"{name}={value}" for name, value in changed.items() if name not in study.fixed)
        rows.append([study.label, str(len(found.tried)), str(failed), *values, told or "the defaults"])
    click.echo()
    columns = ("model", "runs", "failed", f"{info.title}, defaults", "best", "found")
    title = f"{settings.track}, validation split, seeds {', '.join(map(str, settings.seeds))}"
    print_table(title, columns, rows, fold=("found",), right=columns[1:5])
    plugins = ",".join(study.asked for study in search.studies)
    click.echo(f"\n{search.out}\nganbench run --plugins '{plugins}' --track {settings.track} --settings {search.out}")
