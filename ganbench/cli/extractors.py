"""``ganbench extractors``."""

from __future__ import annotations

import click

from ganbench.cli.listing import print_table
from ganbench.describe import catalogue


@click.command()
def extractors() -> None:
    """List the extractors that tracks can name."""
    rows = [[each["name"], each["summary"], each["origin"]] for each in catalogue()["extractors"]]
    print_table("extractors", ("name", "what", "from"), rows)
