"""``ganbench sample``."""

from __future__ import annotations

from pathlib import Path

import click

from ganbench.cli.options import folder_option
from ganbench.errors import RequestError


@click.command()
@click.argument("key")
@click.option("-n", "count", default=64, show_default=True, help="How many samples.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), default=Path("samples.png"), show_default=True)
@click.option("--seed", default=0, show_default=True, help="Another seed, other samples.")
@folder_option("--runs", "runs", "Where the trials lie.")
def sample(key: str, count: int, out: Path, seed: int, runs: Path) -> None:
    """Draw samples from the trained model of trial KEY (a key, the first letters of one, or its folder)."""
    if count < 1:
        raise RequestError(f"-n {count}: at least 1")
    folder = Path(key) if Path(key, "checkpoint.pt").exists() else _find(runs, key)
    import torch

    from ganbench.api import load
    from ganbench.evaluation.samples import draw
    from ganbench.files import check_writable
    from ganbench.trials.pictures import write_grid

    model = load(folder)
    check_writable(out.parent, "--out")
    labels = torch.arange(count) * model.data.classes // count if model.conditional and model.data.classes else None
    write_grid(out, draw(model, count, labels, seed))
    click.echo(out)


def _find(runs: Path, key: str) -> Path:
    found = [path.parent for path in sorted(runs.glob("*/checkpoint.pt")) if path.parent.name.startswith(key)]
    if len(found) != 1:
        what = "no finished trial" if not found else f"{len(found)} trials"
        raise RequestError(
            f"sample {key!r}: {what} of that key under {runs}: the `...-trials.csv` of a board lists keys"
        )
    return found[0]
