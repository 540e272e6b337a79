"""``ganbench extractors``: what there is, and what files of ``ganbench extractor train`` say of themselves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ganbench.cli.table_printer import print_table
from ganbench.registry.catalog import catalog

DROP = ("from", "features", "sha256", "weights")
"""What a narrow terminal leaves out, in this order."""


@click.command()
@click.argument("files", nargs=-1, metavar="[FILE]...", type=click.Path(path_type=Path))
def extractors(files: tuple[Path, ...]) -> None:
    """List the extractors that tracks can name, or show what each FILE of `ganbench extractor train` holds.

    The hash is the one that records and reports show; a downloaded network's is known after its first use.
    """
    if files:
        _show(files)
        return
    rows = []
    for each in catalog()["extractors"]:
        rows.append([each["name"], each["summary"], str(each["features"] or "–"), *_weights(each), each["origin"]])
    print_table(
        "extractors", ("name", "what", "features", "weights", "sha256", "from"), rows, fold=("what",), drop=DROP
    )


def _weights(each: dict[str, Any]) -> tuple[str, str]:
    """Say whether the weights are here, and the hash of those that are."""
    from ganbench.extractors.hub import are_here, recall
    from ganbench.util.atomic_io import sha256_of

    if each["files"] is None:
        return "–", "–"
    files = [Path(file) for file in each["files"]]
    if not files:
        return "name a file: --weights", "–"
    if files[0].is_absolute():
        return (
            ("here", sha256_of(files[0])[:12])
            if are_here(files)
            else (f"missing: {each['install'] or 'reinstall'}", "–")
        )
    if are_here(files):
        return "here, downloaded", (recall(each["name"], files) or "–")[:12]
    return "downloaded on first use", "–"


def _show(files: tuple[Path, ...]) -> None:
    from ganbench.extractors.classifier_file import read_info
    from ganbench.util.atomic_io import sha256_of

    # All are read before any is shown: a wrong one is the only answer then.
    for path, info in [(path, read_info(path)) for path in files]:
        click.echo(path)
        fields = {**info.model_dump(), "input_shape": "x".join(map(str, info.input_shape)), "sha256": sha256_of(path)}
        for field, value in fields.items():
            click.echo(f"  {field.replace('_', ' '):21} {value}")
