"""``ganbench show``: one trial, its record in a readable form, or what is known without one."""

from __future__ import annotations

from pathlib import Path

import click

from ganbench.cli.options import folder_option
from ganbench.errors import RequestError


@click.command()
@click.argument("key")
@folder_option("--out", "runs", "Where the trials lie.")
@folder_option("--boards", "leaderboards", "Where boards, and their records, are published.")
@click.option("--json", "as_json", is_flag=True, help="Print the record's JSON.")
def show(key: str, out: Path, boards: Path, as_json: bool) -> None:
    """Show trial KEY: a key or its first letters, a run's folder, or the path of a record.

    A published record is shown where no trial under --out has that key. Of a trial without a record: what was asked
    for, where it stands, and the end of its log.
    """
    from ganbench.cli.record_view import tell_record, tell_unfinished
    from ganbench.store.lookup import find_folder, find_record
    from ganbench.store.status import look
    from ganbench.store.store import RECORD, Store

    try:
        path, record = find_record(key, out, boards)
    except RequestError as error:
        try:
            folder = find_folder(key, out).absolute()
        except RequestError:
            raise error from None  # it looked in more places than this
        if as_json or (folder / RECORD).exists():
            raise
        tell_unfinished(look(Store(folder.parent), folder.name))
        return
    if as_json:
        click.echo(path.read_text(), nl=False)
    else:
        tell_record(path, record)
