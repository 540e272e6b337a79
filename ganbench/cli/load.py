"""``ganbench load``: a trained model, without its data set."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ganbench.cli.options import runs_option
from ganbench.errors import RequestError

if TYPE_CHECKING:
    from ganbench.model import Model


@click.command()
@click.argument("key")
@runs_option()
@click.option("--export", type=click.Path(dir_okay=False, path_type=Path), help="Write the weights here: a .safetensors file, by the names of the model's state_dict.")  # fmt: skip  # noqa: E501
def load(key: str, runs: Path, export: Path | None) -> None:
    """Load the trained model of run KEY (a key, the first letters of one, or its folder), and describe it.

    The data set is not needed. Also prints the equivalent Python.
    """
    from ganbench.store.lookup import find_folder
    from ganbench.util.atomic_io import check_writable

    folder = find_folder(key, runs)
    if export is not None:
        if export.suffix != ".safetensors":
            raise RequestError(f"--export {export}: name a file that ends in .safetensors")
        check_writable(export.parent, "--export")
    from ganbench.training.export import write_weights
    from ganbench.training.trained_run import read_trained

    trained = read_trained(folder)
    model, spec = trained.model(), trained.record.spec
    parameters = sum(parameter.numel() for parameter in model.parameters())
    click.echo(
        f"{spec.model_info.label}, seed {spec.seed_index}, trained on {spec.training.dataset} for "
        f"{spec.training.budget}: {spec.import_path}, {parameters:,} parameters, samples {_shape(model, 'n')}, "
        f"from {folder}"
    )
    if trained.changed:
        click.echo(f"note: the code of {spec.model_info.name!r} has changed since it was trained")
    asks = model.conditional and model.data.classes > 0
    labels = f", torch.arange(64) % {model.data.classes}" if asks else ""
    click.echo(f"\n  import ganbench{', torch' if asks else ''}; model = ganbench.load({str(folder)!r})")
    what = "points" if len(model.data.shape) == 1 else "images"
    click.echo(f"  {what} = model.sample(64{labels})  # float {_shape(model, '64')} in [-1, 1]")
    if export is not None:
        write_weights(export, model, {"key": spec.key, "model": spec.model_info.label})
        click.echo(f"\n{export}")


def _shape(model: Model, n: str) -> str:
    return f"({', '.join((n, *map(str, model.data.shape)))})"
