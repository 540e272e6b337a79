"""``ganbench plugins``."""

from __future__ import annotations

import click

from ganbench.cli.table_printer import print_table
from ganbench.registry.catalog import catalog


@click.command()
def plugins() -> None:
    """List the models that can be run, who brought them, and the plugins that are broken."""
    found = catalog()
    columns = ("name", "family", "version", "distribution", "paper")
    rows = [[str(model[column]) for column in columns] for model in found["models"]]
    print_table("models", columns, rows, fold=("distribution",), drop=("version", "paper", "distribution"))
    if found["broken"]:
        print_table(
            "broken plugins",
            ("plugin", "error"),
            [[each["origin"], each["error"]] for each in found["broken"]],
        )
    click.echo("run them with: ganbench run --plugins NAME,NAME[parameter=value] or ./file.py:Class")
