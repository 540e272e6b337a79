"""What is asked of a finished checkpoint, in a process that can no longer change a sample: its answers are files.

`redraw` draws the final samples once more, or more of them; `log_likelihood` bounds the likelihood of images that the
model has not seen. Both load the model's plugin, and so belong to the training side.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field

from ganbench.data.dataset import sample_labels
from ganbench.data.pixels import to_float
from ganbench.errors import RequestError
from ganbench.store.layout import answer_path
from ganbench.store.run_spec import RuntimeConfig
from ganbench.store.samples import SampleFile, array_sha256, write_samples
from ganbench.store.seeds import derive
from ganbench.training.data_file import read_training_data
from ganbench.training.likelihood import log_likelihood
from ganbench.training.process_guard import ProcessGuard
from ganbench.training.trained_run import TrainedRun, read_trained
from ganbench.training.worker import settle
from ganbench.util.atomic_io import atomic_write

ENTRY = f"{__name__}:work"


class InferenceJob(BaseModel):
    """What is asked of a run's checkpoint: `samples` to be drawn, or the likelihood of images in a ``.npy`` file."""

    model_config = ConfigDict(frozen=True)

    folder: Path
    runtime: RuntimeConfig
    data_file: Path
    samples: int = 0
    images_file: Path | None = None
    draw_to: Path | None = Field(
        default=None,
        description="a .npy file for the final samples drawn once more, whether they are the record's or not",
    )


def work(payload: dict[str, Any], emit: Callable[..., None], began: float) -> int:
    """Do an `InferenceJob`; what goes wrong is printed and emitted as ``reason``, with exit status 1."""
    job = InferenceJob.model_validate(payload)
    try:
        settle(job.runtime)
        guard, run = ProcessGuard(), read_trained(job.folder)
        if job.samples:
            emit(phase="sampling")
            redraw(run, job.samples, job.data_file, torch.device(job.runtime.device))
        if job.draw_to is not None and run.record.samples is not None:
            emit(phase="sampling")
            drawn = _draw(run, run.record.samples.n, job.data_file, torch.device(job.runtime.device))
            atomic_write(job.draw_to, lambda stream: np.save(stream, drawn, allow_pickle=False))
        if job.images_file is not None:
            emit(phase="likelihood")
            _answer(run, job.images_file, torch.device(job.runtime.device), lambda: emit(phase="likelihood"))
        guard.check("the model")
    except Exception as error:
        text = " ".join(str(error).split())
        emit(phase="failed", reason=text if isinstance(error, RequestError) else f"{type(error).__name__}: {text}")
        print(f"ganbench: {text}", flush=True)
        return 1
    return 0


def redraw(run: TrainedRun, n: int, data_file: Path, device: torch.device) -> SampleFile:
    """Draw at least as many samples as the record names, check them against its hash, and write them."""
    known = run.record.samples
    assert known is not None
    n = max(n, known.n)
    samples = _draw(run, n, data_file, device)
    if array_sha256(samples[: known.n]) != known.sha256:
        raise RequestError(
            f"{run.folder}: the samples drawn again from its checkpoint are not those of its record (sha256 differs): "
            "another machine, device or version rounds differently"
        )
    if n > known.n:
        write_samples(run.folder, f"final-{n}", samples)
    return write_samples(run.folder, "final", samples[: known.n])


def _draw(run: TrainedRun, n: int, data_file: Path, device: torch.device) -> np.ndarray:
    spec = run.record.spec
    labels = read_training_data(data_file, spec.training.train_sha256).labels
    return run.draw(n, None if labels is None else sample_labels(labels, n, derive(spec.seed, "labels")), device)


def _answer(run: TrainedRun, images_file: Path, device: torch.device, tick: Callable[[], None]) -> None:
    images: np.ndarray = np.load(images_file, allow_pickle=False)
    seed = derive(run.record.spec.seed, "likelihood")
    bounds = log_likelihood(run.model().to(device), to_float(torch.from_numpy(images)).to(device), seed, tick=tick)
    path = answer_path(run.folder, "log_likelihood", array_sha256(images))
    atomic_write(path, lambda stream: np.save(stream, bounds.cpu().numpy(), allow_pickle=False))
