"""``ganbench show``: one run with its scores in a readable form, or what is known of a run without a record."""

from __future__ import annotations

import json
from pathlib import Path

import click

from ganbench.cli.options import published_option, runs_option
from ganbench.errors import RequestError


@click.command()
@click.argument("key")
@runs_option()
@published_option()
@click.option("--json", "as_json", is_flag=True, help='Print JSON: {"run": ..., "scores": [...]}.')
def show(key: str, runs: Path, published: Path, as_json: bool) -> None:
    """Show run KEY: a key or its first letters, a run's folder, or the path of a run.json.

    A published run is shown where no run under --runs has that key. For a run without a record: what was asked for,
    where it stands, and the end of its log.
    """
    from ganbench.cli.record_view import show_run, show_unfinished
    from ganbench.store.layout import RUN
    from ganbench.store.lookup import find_folder, find_run
    from ganbench.store.status import look, read_spec
    from ganbench.store.store import Store, read_scores

    try:
        path, record = find_run(key, runs, published)
    except RequestError as error:
        try:
            folder = find_folder(key, runs).absolute()
        except RequestError:
            raise error from None  # it looked in more places than this
        if as_json or (folder / RUN).exists():
            raise
        show_unfinished(look(Store(folder.parent), folder.name), read_spec(folder))
        return
    scores, problems = read_scores(path.parent, record)
    if not as_json:
        show_run(path, record, scores, problems)
        return
    dumped = [each.model_dump(mode="json", by_alias=True) for each in (record, *scores)]
    click.echo(json.dumps({"run": dumped[0], "scores": dumped[1:]}, indent=1))
    for problem in problems:
        click.echo(f"ganbench: {' '.join(problem.split())}", err=True)
