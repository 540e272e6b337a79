"""``ganbench load``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ganbench.cli.options import folder_option
from ganbench.errors import RequestError

if TYPE_CHECKING:
    from ganbench.model import Model


@click.command()
@click.argument("key")
@folder_option("--out", "runs", "Where the trials lie.")
@click.option("--weights", type=click.Path(dir_okay=False, path_type=Path), help="Write the weights here: a .safetensors file, by the names of the model's state_dict.")  # fmt: skip  # noqa: E501
def load(key: str, out: Path, weights: Path | None) -> None:
    """Load the trained model of trial KEY (a key, the first letters of one, or its folder), and say what it is.

    The data set is not needed. Below the description stand the lines of Python that do the same.
    """
    from ganbench.store.lookup import find_folder
    from ganbench.util.atomic_io import check_writable

    folder = find_folder(key, out)
    if weights is not None:
        if weights.suffix != ".safetensors":
            raise RequestError(f"--weights {weights}: name a file that ends in .safetensors")
        check_writable(weights.parent, "--weights")
    from ganbench.training.export import write_weights
    from ganbench.training.trained_run import read_finished

    finished = read_finished(folder)
    model, about = finished.model(), finished.trial.about
    parameters = sum(parameter.numel() for parameter in model.parameters())
    click.echo(
        f"{about.label}, seed {finished.trial.repetition}, of {finished.trial.track.protocol.name}: "
        f"{finished.trial.address}, {parameters:,} parameters, samples {_shape(model, 'n')}, from {folder}"
    )
    if finished.changed:
        click.echo(f"note: the source of {about.name!r} is another now than the one that was trained")
    asks = model.conditional and model.data.classes > 0
    labels = f", torch.arange(64) % {model.data.classes}" if asks else ""
    click.echo(f"\n  import ganbench{', torch' if asks else ''}; model = ganbench.load({str(folder)!r})")
    what = "points" if len(model.data.shape) == 1 else "images"
    click.echo(f"  {what} = model.sample(64{labels})  # float {_shape(model, '64')} in [-1, 1]")
    if weights is not None:
        write_weights(weights, model, {"key": finished.trial.key, "model": about.label})
        click.echo(f"\n{weights}")


def _shape(model: Model, n: str) -> str:
    return f"({', '.join((n, *map(str, model.data.shape)))})"
