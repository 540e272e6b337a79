"""What is installed, with a line on standard error for each item that is broken."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Callable

    from ganbench.registry.registry import Broken, Registry


def discover_with_warnings(*, quiet: bool) -> Registry:
    """Return what is installed; unless `quiet`, say which items are broken and why."""
    from ganbench.registry.builtins import discover

    return discover(warn_of_broken(quiet=quiet))


def warn_of_broken(*, quiet: bool) -> Callable[[Broken], None]:
    """Return what says on standard error, unless `quiet`, that an item is broken and why."""

    def warn(broken: Broken) -> None:
        if not quiet:
            click.echo(f"ganbench: left out a broken plugin, {broken.origin}: {broken.error}", err=True)

    return warn
