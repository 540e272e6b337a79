"""``ganbench new``: a package of one's own that works, to be changed."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from ganbench.errors import RequestError

WHAT = ("model", "metric", "dataset", "extractor", "track")
KINDS = ("gan", "vae", "conditional", "flow", "baseline")


@click.command()
@click.argument("what", type=click.Choice(WHAT))
@click.argument("name")
@click.option("--kind", type=click.Choice(KINDS), help="What a model begins as. [default: gan]")
@click.option("--out", type=click.Path(path_type=Path), help="The package's folder, which is made. [default: NAME]")
def new(what: str, name: str, kind: str | None, out: Path | None) -> None:
    """Write a package that brings a model, metric, dataset, extractor or track called NAME to ganbench.

    It installs with pip, has a test for each rule, and works as it is: change it into your own.

    \b
    ganbench new model tiny-flow --kind flow
    ganbench new metric sharpness
    """
    from ganbench.authoring.names import Names
    from ganbench.authoring.package import commands, files, write_package

    if kind is not None and what != "model":
        raise RequestError(f"--kind {kind}: is for models, not for a {what}: leave it out")
    names = Names(what, name)
    names.check()
    folder = out or Path(name)
    content = files(names, kind or KINDS[0])
    write_package(folder, content)
    click.echo(f"made {folder}: {', '.join(sorted(content))}\n")
    click.echo("Next:")
    steps = [(f"cd {shlex.quote(str(folder))}", ""), *commands(names)]
    column = max(len(command) for command, _ in steps)
    for command, does in steps:
        click.echo(f"  {command.ljust(column)}  # {does}" if does else f"  {command}")
