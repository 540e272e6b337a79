"""``ganbench metrics``."""

from __future__ import annotations

import click

from ganbench.cli.table_printer import print_table
from ganbench.metric import STANDARD
from ganbench.registry.catalog import catalog

DROP = ("from", "standard", "source", "better", "needs", "column")
"""What a narrow terminal leaves out, in this order."""


@click.command()
def metrics() -> None:
    """List the metrics that tracks and --metrics can name."""
    rows = [
        [
            each["name"], each["title"], each["direction"], "yes" if each["name"] in STANDARD else "",
            " ".join(each["needs"]), each["meaning"], each["source"], each["origin"],
        ]
        for each in catalog()["metrics"]
    ]  # fmt: skip
    columns = ("name", "column", "better", "standard", "needs", "what", "source", "from")
    print_table("metrics", columns, rows, fold=("needs", "what"), drop=DROP)
