"""What is installed, with a line on standard error for each item that is broken."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ganbench.registry.registry import Registry


def discover_with_warnings(*, quiet: bool) -> Registry:
    """Return what is installed; unless `quiet`, say which items are broken and why."""
    from ganbench.registry.builtins import discover
    from ganbench.registry.registry import Broken

    def warn(broken: Broken) -> None:
        if not quiet:
            click.echo(f"ganbench: left out a broken plugin, {broken.origin}: {broken.error}", err=True)

    return discover(warn)
