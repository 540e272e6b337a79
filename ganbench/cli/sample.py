"""``ganbench sample``."""

from __future__ import annotations

from pathlib import Path

import click

from ganbench.cli.options import folder_option
from ganbench.errors import DivergedError, RequestError


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
    from ganbench.store.lookup import find_folder

    folder = find_folder(key, runs)  # a mistyped one is told before torch is imported
    import torch

    from ganbench.pictures.grid import write_grid
    from ganbench.pictures.scatter import are_drawn, write_points
    from ganbench.training.sampling import SampleError, draw
    from ganbench.training.trained_run import read_finished
    from ganbench.util.atomic_io import check_writable

    model = read_finished(folder).model()
    check_writable(out.parent, "--out")
    labels = torch.arange(count) * model.data.classes // count if model.conditional and model.data.classes else None
    try:
        samples = draw(model, count, labels, seed)
    except (SampleError, DivergedError) as error:
        raise RequestError(f"{folder}: {error}") from error
    if are_drawn(model.data.shape):
        write_points(out, samples)
    elif samples.ndim == 4:
        write_grid(out, samples)
    else:
        shape = tuple(model.data.shape)
        raise RequestError(f"{folder}: its samples have the shape {shape}, of which there is no picture")
    click.echo(out)
