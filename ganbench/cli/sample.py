"""``ganbench sample``: more samples from a trained model, as a picture or as a file."""

from __future__ import annotations

from pathlib import Path

import click

from ganbench.cli.options import runs_option
from ganbench.errors import DivergedError, RequestError


@click.command()
@click.argument("key")
@click.option("-n", "count", default=64, show_default=True, help="How many samples.")
@click.option("--export", type=click.Path(path_type=Path), default=Path("samples.png"), show_default=True,
              help="A .png picture, a .npz file of uint8 images with their labels, or a folder (a path that ends in /) of PNG files.")  # fmt: skip  # noqa: E501
@click.option("--seed", default=0, show_default=True, help="Seed of the samples.")
@runs_option()
def sample(key: str, count: int, export: Path, seed: int, runs: Path) -> None:
    """Draw samples from the trained model of run KEY (a key, the first letters of one, or its folder)."""
    if count < 1:
        raise RequestError(f"-n {count}: at least 1")
    if export.suffix not in (".png", ".npz", ""):
        raise RequestError(f"--export {export}: name a .png file, a .npz file or a folder")
    from ganbench.store.lookup import find_folder

    folder = find_folder(key, runs)  # a mistyped one is told before torch is imported
    import torch

    from ganbench.pictures.export import export_samples
    from ganbench.training.sampling import SampleError, draw
    from ganbench.training.trained_run import read_trained
    from ganbench.util.atomic_io import check_writable

    model = read_trained(folder).model()
    check_writable(export.parent, "--export")
    labels = torch.arange(count) * model.data.classes // count if model.conditional and model.data.classes else None
    try:
        samples = draw(model, count, labels, seed)
    except (SampleError, DivergedError) as error:
        raise RequestError(f"{folder}: {error}") from error
    export_samples(export, samples.numpy(), None if labels is None else labels.numpy())
    click.echo(export)
