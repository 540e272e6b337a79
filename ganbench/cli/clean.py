"""``ganbench clean``: remove from a store what can be drawn or made again."""

from __future__ import annotations

from pathlib import Path

import click

from ganbench.cli.options import runs_option
from ganbench.errors import RequestError


@click.command()
@click.argument("keys", nargs=-1, metavar="[KEY]...")
@runs_option()
@click.option(
    "--curves", is_flag=True, help="Also remove the samples drawn during training, which cannot be drawn again."
)
@click.option("--dry-run", is_flag=True, help="Only say what would be removed, and how much that would free.")
def clean(keys: tuple[str, ...], runs: Path, curves: bool, dry_run: bool) -> None:
    """Free space in a folder of runs: of runs KEY (keys, their first letters, or folders), of all by default.

    Removed are final samples that the run's checkpoint can draw again, checkpoints to resume from of runs that have
    ended, and files that a killed process left half written. With --curves the samples at the points of the curves are
    removed, too: they cannot be drawn again, so that new metrics have no curve for these runs. Records, scores,
    checkpoints and pictures stay, and a run that is being worked on is left alone.
    """
    from ganbench.store.clean import clean as clean_store
    from ganbench.store.lookup import find_folder
    from ganbench.store.status import letters
    from ganbench.store.store import Store
    from ganbench.util.text import human_bytes, one_line

    store = Store(runs)
    every = store.keys()
    chosen = list(dict.fromkeys(_key(find_folder(key, runs), runs) for key in keys)) if keys else every
    shown, freed, count = letters(every), 0, 0
    for each in clean_store(store, chosen, curves=curves, dry_run=dry_run):
        name = f"{one_line(each.key)[:shown]}  {one_line(each.label)}"
        if each.files:
            click.echo(f"{name}: {human_bytes(each.freed)}: {', '.join(each.files)}")
        for note in each.notes:
            click.echo(f"{name}: {one_line(note)}")
        freed, count = freed + each.freed, count + bool(each.files)
    runs_word = "run" if count == 1 else "runs"
    if dry_run:
        click.echo(f"would free {human_bytes(freed)} in {count} {runs_word}; nothing was removed")
    else:
        click.echo(f"freed {human_bytes(freed)} in {count} {runs_word}")
    if curves and count:
        what = "would be" if dry_run else "are"
        click.echo(f"samples on the curves {what} gone for good: new metrics will have no curve for these runs")


def _key(folder: Path, runs: Path) -> str:
    if folder.resolve().parent != runs.resolve():
        raise RequestError(f"{folder}: not a run under --runs {runs}: only what lies there is cleaned")
    return folder.resolve().name
