"""``ganbench datasets``."""

from __future__ import annotations

import click

from ganbench.cli.table_printer import print_table
from ganbench.registry.catalog import catalog


@click.command()
def datasets() -> None:
    """List the data sets that tracks can name."""
    rows = [[each["name"], each["summary"], each["origin"]] for each in catalog()["datasets"]]
    print_table("data sets", ("name", "what", "from"), rows, fold=("what",), drop=("from",))
