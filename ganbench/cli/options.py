"""Options that read the same in every command."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click


def folder_option(name: str, default: str | None, text: str) -> Callable[[Any], Any]:
    """Return an option that takes a folder; it need not exist yet."""
    kind = click.Path(file_okay=False, path_type=Path)
    return click.option(
        name, type=kind, default=Path(default) if default else None, show_default=bool(default), help=text
    )
