"""``ganbench runs``: the trials that a store holds."""

from __future__ import annotations

import datetime
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ganbench.cli.options import folder_option
from ganbench.cli.table_printer import print_table
from ganbench.errors import RequestError, did_you_mean

if TYPE_CHECKING:
    from ganbench.store.status import Entry

COLUMNS = (("fid", "FID"), ("is", "IS"), ("recall", "R"), ("coverage", "C"))
MODES = (("mode_kl", "mode KL"), ("modes", "modes"))
"""Shown where a trial has them."""


@click.command()
@folder_option("--out", "runs", "Where the trials lie.")
@click.option("--track", help="Those of this track alone, its variants such as NAME+50steps among them.")
@click.option("--status", help="These alone, joined by commas: ok, failed, running, interrupted, damaged, ...")
@click.option("--json", "json_file", type=click.Path(dir_okay=False, allow_dash=True), help="Write the list here as JSON; - prints it instead.")  # fmt: skip  # noqa: E501
def runs(out: Path, track: str | None, status: str | None, json_file: str | None) -> None:
    """List trials: how they ended, and for those without a record whether they run or were interrupted, and where.

    An interrupted trial goes on with the same `ganbench run`; a damaged one is done again by it.
    """
    from ganbench.store.status import DAMAGED, STATUSES, age, letters, survey

    wanted = STATUSES if status is None else tuple(part.strip() for part in status.split(","))
    for name in wanted:
        if name not in STATUSES:
            raise RequestError(f"--status {status!r}: no trial is {name!r}{did_you_mean(name, STATUSES)}")
    every = survey(out)
    entries = [
        each
        for each in every
        if each.status in wanted and (track is None or each.track == track or each.track.startswith(f"{track}+"))
    ]
    if json_file is not None:
        _write(json_file, json.dumps([each.content() for each in entries], indent=1))
    if json_file == "-":
        return
    if not entries:
        click.echo(_nothing(out, track, status, every))
        return
    shown, now = letters(each.key for each in every), datetime.datetime.now(datetime.UTC)
    rows = []
    has_modes = any(each.record and "modes" in each.record.metrics for each in entries)
    columns = COLUMNS + (MODES if has_modes else ())
    for each in entries:
        scores, facts = (each.record.metrics, each.record.track.metrics) if each.record else ({}, ())
        digits = {metric.name: metric.digits for metric in facts}
        cells = [f"{scores[name].value:.{digits.get(name, 3)}f}" if name in scores else "–" for name, _ in columns]
        seed = "?" if each.seed is None else str(each.seed)
        rows.append((each.key[:shown], each.standing, each.label, seed, each.track, *cells, age(each.started, now)))
    titles = ("key", "status", "model", "seed", "track", *(title for _, title in columns), "age")
    heading = f"{len(entries)} of {len(every)} trials in {out}"
    print_table(heading, titles, rows, fold=("status", "model", "track"))
    for each in entries:
        if each.status == DAMAGED:
            click.echo(f"damaged: {' '.join(each.reason.split())}")


def _nothing(out: Path, track: str | None, status: str | None, every: Sequence[Entry]) -> str:
    if not every:
        return f"no trials in {out}{'' if out.is_dir() else ', there is no such folder'}: `ganbench run` makes some"
    asked = " and ".join(
        f"{name} {value}" for name, value in (("--track", track), ("--status", status)) if value is not None
    )
    tracks = {each.track for each in every if each.asked}
    known = did_you_mean(track, tracks) if track is not None and track not in tracks else ""
    return f"no trials in {out} for {asked}{known}"


def _write(file: str, text: str) -> None:
    if file == "-":
        click.echo(text)
        return
    from ganbench.util.atomic_io import check_writable, write_text

    check_writable(Path(file).parent, "--json")
    write_text(Path(file), text + "\n")
