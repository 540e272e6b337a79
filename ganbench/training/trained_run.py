"""A finished run read back from its folder: the trained model, and the samples that it drew."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ganbench.errors import DivergedError, RequestError
from ganbench.model import DataSpec, Model
from ganbench.registry.import_path import resolve_known
from ganbench.registry.source_hash import source_hash
from ganbench.store.checkpoint_header import Damaged
from ganbench.store.layout import CHECKPOINT, RUN, RUNTIME, SPEC
from ganbench.store.run_record import RunRecord, RunStatus, read_run
from ganbench.store.run_spec import RuntimeConfig
from ganbench.store.seeds import derive
from ganbench.training.checkpoint import read_file
from ganbench.training.hyperparameters import make_config
from ganbench.training.sampling import SampleError, draw
from ganbench.training.state import UnsavableError, restore


@dataclass(frozen=True)
class TrainedRun:
    """A run that has ended well, with the state that its model ended in."""

    folder: Path
    record: RunRecord
    runtime: RuntimeConfig
    state: dict[str, Any]

    @cached_property
    def model_class(self) -> type[Model]:
        path = self.record.spec.import_path
        try:
            return resolve_known(path)
        except (ImportError, AttributeError, OSError) as error:
            raise RequestError(
                f"{self.folder}: its model {path} is not installed here ({error}): install its plugin"
            ) from error

    @property
    def changed(self) -> bool:
        """Whether the model's code is another than the one that was trained."""
        return source_hash(self.model_class) != self.record.spec.model_info.source

    def model(self) -> Model:
        """Return the trained model, on the CPU, ready to sample; the data set is not needed."""
        model_class = self.model_class
        try:
            model = model_class(DataSpec(**self.state["data"]), make_config(model_class, self.record.spec.config))
            restore(model, self.state["model"])
        except (UnsavableError, KeyError, TypeError) as error:
            raise RequestError(
                f"{self.folder}: its checkpoint does not fit {self.record.spec.import_path} as it is now ({error}): "
                "train it again"
            ) from error
        return model.eval()

    def draw(self, n: int, labels: np.ndarray | None, device: torch.device) -> np.ndarray:
        """Return the samples that the run drew, and more of them where `n` is larger.

        `labels`, int64 (n,), are those of conditional models. Raises `RequestError` where the model cannot sample.
        """
        before = self.record.samples.n if self.record.samples else 0
        try:
            samples = draw(
                self.model().to(device), n, None if labels is None else torch.from_numpy(labels),
                derive(self.record.spec.seed, "samples"), drawn_before=before,
            )  # fmt: skip
        except (SampleError, DivergedError) as error:
            raise RequestError(f"{self.folder}: {error}") from error
        return samples.cpu().numpy()


def read_trained(folder: Path) -> TrainedRun:
    """Read a run's folder; raise `RequestError` where it holds no trained model, or one that was damaged."""
    path = folder / CHECKPOINT
    if not path.exists():
        raise RequestError(f"{folder}: no trained model ({_why_not(folder)})")
    try:
        record = read_run(folder / RUN)
        runtime = RuntimeConfig.model_validate_json((folder / RUNTIME).read_bytes())
        state = read_file(path)
    except Damaged as error:
        raise RequestError(f"{error}: train it again with `ganbench run --rerun`") from error
    except (OSError, ValueError) as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise RequestError(f"{folder}: no trained model ({reason})") from error
    return TrainedRun(folder, record, runtime, state)


def _why_not(folder: Path) -> str:
    if not (folder / RUN).exists():
        asked = (folder / SPEC).exists()
        return "the same `ganbench run` continues it" if asked else f"there is no {RUN} and no {SPEC}"
    try:
        record = read_run(folder / RUN)
    except RequestError as error:
        return str(error)
    if record.spec.model_info.role != "model":
        return f"{record.spec.model_info.name} is a baseline, which is not trained"
    if record.status is RunStatus.OK:
        return f"{CHECKPOINT} is missing: it was removed, or its state could not be saved, as log.txt says"
    return f"it ended as {record.status}: {record.reason}"
