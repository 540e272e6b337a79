"""A finished trial read back from its folder: the trained model, and the samples that it was scored on."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]
from torch import Tensor

from ganbench.data.dataset import Split
from ganbench.errors import DivergedError, RequestError
from ganbench.model import DataSpec, Model
from ganbench.registry.import_path import resolve_known, source_hash
from ganbench.store.checkpoint_header import Damaged
from ganbench.store.run_record import Status, read_record
from ganbench.store.run_spec import RuntimeConfig, Trial
from ganbench.store.seeds import derive
from ganbench.store.store import RECORD
from ganbench.training.checkpoint import read_file
from ganbench.training.hyperparameters import make_config
from ganbench.training.sampling import SampleError, draw
from ganbench.training.state import restore
from ganbench.training.state_codec import UnsavableError


@dataclass(frozen=True)
class Finished:
    """A trial that has ended well, with the state that its model ended in."""

    folder: Path
    trial: Trial
    setting: RuntimeConfig
    state: dict[str, Any]

    @cached_property
    def model_class(self) -> type[Model]:
        try:
            return resolve_known(self.trial.address)
        except (ImportError, AttributeError, OSError) as error:
            raise RequestError(
                f"{self.folder}: its model {self.trial.address} is not installed here ({error}): install its plugin"
            ) from error

    @property
    def changed(self) -> bool:
        """Whether the model's source is another than the one that was trained."""
        return source_hash(self.model_class) != self.trial.about.source

    def model(self) -> Model:
        """Return the trained model, on the CPU, ready to sample; the data set is not needed."""
        model_class = self.model_class
        try:
            model = model_class(DataSpec(**self.state["data"]), make_config(model_class, self.trial.config))
            restore(model, self.state["model"])
        except (UnsavableError, KeyError, TypeError) as error:
            raise RequestError(
                f"{self.folder}: its checkpoint does not fit {self.trial.address} as it is now: train it again"
            ) from error
        return model.eval()

    def samples(self, n: int, validation: Split, device: torch.device) -> tuple[Tensor, Tensor | None]:
        """Return what the trial drew, as `draw` does, and the labels asked for where the model is conditional.

        Labels are asked for as in `validation`, the data set's; beyond its images they come round again.
        """
        model = self.model().to(device)
        place = next((parameter.device for parameter in model.parameters()), torch.device("cpu"))  # as `draw` has it
        labels = None if validation.labels is None else torch.from_numpy(np.resize(validation.labels, n)).to(place)
        try:
            samples = draw(model, n, labels, derive(self.trial.seed, "samples"))
        except (SampleError, DivergedError) as error:
            raise RequestError(f"{self.folder}: {error}") from error
        return samples, labels if model.conditional else None

    @contextlib.contextmanager
    def threads(self) -> Iterator[None]:
        """Compute with as many threads as the trial had: their number decides last digits."""
        before = torch.get_num_threads()
        torch.set_num_threads(self.setting.threads)
        try:
            with threadpool_limits(self.setting.threads, user_api="blas"):
                yield
        finally:
            torch.set_num_threads(before)


def read_finished(folder: Path) -> Finished:
    """Read a trial's folder; raise `RequestError` where it holds no trained model, or one that was damaged."""
    path = folder / "checkpoint.pt"
    if not path.exists():
        raise RequestError(f"{folder}: no finished trial ({_without(folder)})")
    try:
        trial = Trial.model_validate_json((folder / "trial.json").read_bytes())
        setting = RuntimeConfig.model_validate_json((folder / "setting.json").read_bytes())
        state = read_file(path)
    except Damaged as error:
        raise RequestError(f"{error}: the `ganbench run` that made it makes it again with --rerun") from error
    except (OSError, ValueError) as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise RequestError(f"{folder}: no finished trial ({reason})") from error
    return Finished(folder, trial, setting, state)


def _without(folder: Path) -> str:
    """Say why a folder has no trained model."""
    if not (folder / RECORD).exists():
        asked = (folder / "trial.json").exists()
        return "the same `ganbench run` goes on with it" if asked else "no record.json, no trial.json"
    try:
        record = read_record(folder / RECORD)
    except RequestError as error:
        return str(error)
    if record.status is Status.OK:
        return "its checkpoint.pt is not there: removed, or its state could not be saved, as log.txt says"
    return f"it ended as {record.status}: {record.reason}"
