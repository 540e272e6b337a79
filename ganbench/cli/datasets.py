"""``ganbench datasets``."""

from __future__ import annotations

import click

from ganbench.cli.listing import print_table
from ganbench.describe import catalogue


@click.command()
def datasets() -> None:
    """List the data sets that tracks can name."""
    rows = [[each["name"], each["summary"], each["origin"]] for each in catalogue()["datasets"]]
    print_table("data sets", ("name", "what", "from"), rows)
