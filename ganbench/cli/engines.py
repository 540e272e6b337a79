"""``ganbench engines``: where work can be done."""

from __future__ import annotations

import click

from ganbench.cli.table_printer import print_table
from ganbench.registry.catalog import catalog


@click.command()
def engines() -> None:
    """List the engines that `ganbench run --engine` can name, their options, and whether they can be used here."""
    known = catalog()["engines"]
    rows = [[each["name"], each["summary"], _lacking(each) or "yes", each["origin"]] for each in known]
    print_table("engines", ("name", "where work is done", "usable here", "from"), rows, fold=("where work is done", "usable here"), drop=("from",))  # fmt: skip  # noqa: E501
    for each in known:
        for name, meaning in each["options"].items():
            click.echo(f"{each['name']}[{name}=...]: {meaning}")


def _lacking(each: dict[str, object]) -> str:
    """Say what an engine needs that is not here: looked up now, as it may come without a source changing."""
    from ganbench.engine import lacking

    return lacking(each["requires"], each["programs"], str(each["install"]))  # type: ignore[arg-type]
