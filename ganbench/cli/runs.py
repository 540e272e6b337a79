"""``ganbench runs``: the runs that a store holds."""

from __future__ import annotations

import datetime
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ganbench.cli.options import runs_option
from ganbench.cli.table_printer import print_table
from ganbench.errors import RequestError, did_you_mean

if TYPE_CHECKING:
    from ganbench.store.status import Entry

DISTANCE = None
"""Stands where others have decimals: a distance has three digits, wherever its point is."""
COLUMNS = (("fid", "FID", DISTANCE), ("is", "IS", 2), ("recall", "R", 3), ("coverage", "C", 3))
MODES = (("mode_kl", "mode KL", DISTANCE), ("modes", "modes", 1))
"""Shown where a run has them."""
DROP = ("C", "R", "IS", "precision", "modes", "budget", "age", "data set", "mode KL")
"""What a narrow terminal leaves out, in this order."""


@click.command()
@runs_option()
@click.option("--dataset", help="List only runs on this data set.")
@click.option("--status", help="List only these, separated by commas: ok, unscored, failed, running, damaged, ...")
@click.option("--json", "json_file", type=click.Path(dir_okay=False, allow_dash=True), help="Write the list here as JSON; - prints it instead.")  # fmt: skip  # noqa: E501
def runs(runs: Path, dataset: str | None, status: str | None, json_file: str | None) -> None:
    """List runs: how they ended, their main scores, and the progress of those that have not ended.

    The same `ganbench run` continues an interrupted run, and repeats a damaged one. `ganbench score` scores those
    that are not scored.
    """
    from ganbench.store.status import DAMAGED, STATUSES, UNSCORED, survey

    known = (*STATUSES, UNSCORED)
    wanted = known if status is None else tuple(part.strip() for part in status.split(","))
    for name in wanted:
        if name not in known:
            raise RequestError(f"--status {status!r}: unknown status {name!r}{did_you_mean(name, known)}")
    every = survey(runs)
    entries = [
        each
        for each in every
        if (each.status in wanted or (each.unscored and UNSCORED in wanted)) and dataset in (None, each.dataset)
    ]
    if json_file is not None:
        _write(json_file, json.dumps([each.content() for each in entries], indent=1))
    if json_file == "-":
        return
    if not entries:
        click.echo(_nothing(runs, dataset, status, every))
        return
    _print(runs, entries, every)
    if broken := [f"damaged: {' '.join(each.reason.split())}" for each in entries if each.status == DAMAGED]:
        click.echo("\n".join(broken))


def _print(runs: Path, entries: Sequence[Entry], every: Sequence[Entry]) -> None:
    from ganbench.boards.formatting import metric_value
    from ganbench.metric import HEADLINE
    from ganbench.store.status import age, letters

    def number(value: float, digits: int | None) -> str:
        return metric_value(value, HEADLINE) if digits is DISTANCE else f"{value:.{digits}f}"

    shown, now = letters(each.key for each in every), datetime.datetime.now(datetime.UTC)
    columns = COLUMNS + (MODES if any("modes" in each.metrics for each in entries) else ())
    rows = []
    for each in entries:
        found = each.metrics
        cells = [number(found[name], digits) if name in found else "–" for name, _, digits in columns]
        seed = "?" if each.seed_index is None else str(each.seed_index)
        asked = (each.label, seed, each.dataset, each.budget, each.precision)
        rows.append((each.key[:shown], each.standing, *asked, *cells, age(each.started, now)))
    titles = ("key", "status", "model", "seed", "data set", "budget", "precision", *(title for _, title, _ in columns))
    heading = f"{len(entries):,} of {len(every):,} runs in {runs}"
    print_table(heading, (*titles, "age"), rows, fold=("status", "model", "data set"), drop=DROP)


def _nothing(runs: Path, dataset: str | None, status: str | None, every: Sequence[Entry]) -> str:
    if not every:
        return f"no runs in {runs}{'' if runs.is_dir() else ', there is no such folder'}: `ganbench run` makes some"
    asked = " and ".join(
        f"{name} {value}" for name, value in (("--dataset", dataset), ("--status", status)) if value is not None
    )
    names = {each.dataset for each in every if each.dataset != "?"}
    known = did_you_mean(dataset, names) if dataset is not None and dataset not in names else ""
    return f"no runs in {runs} for {asked}{known}"


def _write(file: str, text: str) -> None:
    if file == "-":
        click.echo(text)
        return
    from ganbench.util.atomic_io import check_writable, write_text

    check_writable(Path(file).parent, "--json")
    write_text(Path(file), text + "\n")
