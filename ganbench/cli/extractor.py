"""``ganbench extractor train``: a frozen extractor for a labelled data set, as one file."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ganbench.cli.options import data_dir_option, device_option, quiet_option
from ganbench.errors import RequestError

if TYPE_CHECKING:
    from ganbench.data.dataset import Dataset
    from ganbench.extractors.classifier_file import PackedClassifier
    from ganbench.extractors.train import Progress
    from ganbench.extractors.train_classifier import TrainingPlan

LINES = 20
"""On a pipe a training of more epochs than this prints not every one."""


@click.group()
def extractor() -> None:
    """Make extractors of your own; `ganbench extractors` lists what there is."""


@extractor.command()
@click.argument("dataset")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="The file. [default: DATASET.safetensors]")
@click.option("--epochs", type=click.IntRange(min=1), help="[default: 15, more for a small data set (1,500 updates of 128 images at least), fewer above 60,000 images]")  # fmt: skip  # noqa: E501
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), default=0, show_default=True)
@click.option("--flip", is_flag=True, help="Mirror half of the images while training: for photographs, not for digits.")
@device_option()
@data_dir_option()
@click.option("--force", is_flag=True, help="Overwrite the file.")
@quiet_option("Print nothing but errors.")
def train(
    dataset: str, out: Path | None, epochs: int | None, seed: int, flip: bool, device: str, data_dir: Path | None,
    force: bool, quiet: bool,
) -> None:  # fmt: skip
    """Train a frozen extractor on the training images of DATASET and write it to a file.

    The test images give its accuracy, once, at the end; the schedule is fixed in advance. The file says what it is:
    `ganbench extractors FILE` shows it, `--extractor FILE` takes it.

    \b
    ganbench extractor train digits
    ganbench run --plugins all --track digits-smoke --extractor digits.safetensors
    """
    from ganbench.extractors.train_classifier import plan_training
    from ganbench.util.atomic_io import atomic_write
    from ganbench.util.device import pick_device

    place = _place(out or Path(f"{_called(dataset)}.safetensors"), force=force)
    where = pick_device(device)
    plan = plan_training(_load(dataset, data_dir, quiet=quiet), epochs)
    made = _made(plan, seed=seed, flip=flip, device=where, quiet=quiet)
    try:
        atomic_write(place, lambda stream: stream.write(made.content))
    except OSError as error:
        raise RequestError(f"--out {place}: cannot be written ({error.strerror})") from error
    if not quiet:
        _say_how_to_use(place, dataset, made)


def _called(dataset: str) -> str:
    """Return a file's name for a data set: of ``folder:/my/images?size=64`` the folder's."""
    return Path(dataset.partition(":")[2].partition("?")[0] or dataset).name


def _place(path: Path, *, force: bool) -> Path:
    """Check where the file goes, before and not after training."""
    from ganbench.extractors.classifier_file import SUFFIX
    from ganbench.util.atomic_io import check_writable

    if path.suffix != SUFFIX:
        raise RequestError(f"--out {path}: give it the ending {SUFFIX}, by which --extractor knows such a file")
    if path.exists() and not force:
        raise RequestError(f"--out {path}: is there already: name another file, or overwrite it with --force")
    check_writable(path.parent, "--out")
    return path


def _load(dataset: str, data_dir: Path | None, *, quiet: bool) -> Dataset:
    from ganbench.cli.warnings import warn_of_broken
    from ganbench.registry.lookup import load_dataset
    from ganbench.registry.without_models import discover_without_models

    return load_dataset(dataset, discover_without_models(warn_of_broken(quiet=quiet)), data_dir)


def _made(plan: TrainingPlan, *, seed: int, flip: bool, device: str, quiet: bool) -> PackedClassifier:
    import torch

    from ganbench.cli.console import console
    from ganbench.cli.progress_bar import Bar
    from ganbench.extractors.train_classifier import train_classifier

    screen, dataset = console(), plan.dataset
    every = -(-plan.epochs // LINES)
    lines = not quiet and not screen.is_terminal

    def report(progress: Progress) -> None:
        done = (progress.epoch - 1) * progress.steps + progress.step
        bar.move(f"epoch {progress.epoch}/{progress.epochs}  loss {progress.loss:.3f}", done, plan.updates)
        ended = progress.step == progress.steps
        if lines and ended and (progress.epoch % every == 0 or progress.epoch == progress.epochs):
            click.echo(progress)

    if not quiet:
        form = "x".join(map(str, dataset.shape))
        click.echo(
            f"{dataset.name}: {len(dataset.train):,} training images of {form}, {dataset.classes} classes; "
            f"{plan.architecture.name}, {plan.epochs} epochs, {plan.updates:,} updates, {device}"
        )
    with Bar(screen, shown=screen.is_terminal and not quiet) as bar:
        return train_classifier(plan, seed=seed, flip=flip, device=torch.device(device), report=report)


def _say_how_to_use(path: Path, dataset: str, made: PackedClassifier) -> None:
    import hashlib

    info = made.info
    digest = hashlib.sha256(made.content).hexdigest()[:12]
    click.echo(f"accuracy on the {info.test_images:,} test images: {info.test_accuracy:.4f}")
    click.echo(f"{path}: {info.feature_dim} features, {len(made.content) / 1e6:.1f} MB, sha256 {digest}")
    click.echo("Use it:")
    file = shlex.quote(str(path))
    click.echo(f"  ganbench evaluate SAMPLES --reference {shlex.quote(dataset)} --extractor {file}")
    click.echo(f"  ganbench run --plugins MODELS --track TRACK --extractor {file}")
