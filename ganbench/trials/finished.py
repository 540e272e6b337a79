"""A finished trial read back from its folder: the trained model, and the samples that it was scored on."""

from __future__ import annotations

import contextlib
import pickle
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
from ganbench.errors import RequestError
from ganbench.evaluation.samples import SampleError, draw
from ganbench.model import DataSpec, Model
from ganbench.registry import resolve, source_hash
from ganbench.trials.config import make_config
from ganbench.trials.seeds import derive
from ganbench.trials.trial import Setting, Trial


def is_run(folder: Path) -> bool:
    """Tell whether a folder is that of a trial, finished or not."""
    return (folder / "trial.json").is_file() or (folder / "record.json").is_file()


@dataclass(frozen=True)
class Finished:
    """A trial that has ended well, with the state that its model ended in."""

    folder: Path
    trial: Trial
    setting: Setting
    state: dict[str, Any]

    @cached_property
    def model_class(self) -> type[Model]:
        try:
            return resolve(self.trial.address)
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
            model.load_state_dict(self.state["model"])
            model.load_extra_state(self.state["extra"])
        except (RuntimeError, KeyError, TypeError) as error:
            raise RequestError(
                f"{self.folder}: its checkpoint does not fit {self.trial.address} as it is now: train it again"
            ) from error
        return model.eval()

    def samples(self, n: int, heldout: Split, device: torch.device) -> tuple[Tensor, Tensor | None]:
        """Return what the trial drew: uint8 (n, C, H, W), and the labels asked for where the model is conditional.

        Labels are asked for as in `heldout`, the data set's; beyond its images they come round again.
        """
        model = self.model().to(device)
        place = next((parameter.device for parameter in model.parameters()), torch.device("cpu"))  # as `draw` has it
        labels = None if heldout.labels is None else torch.from_numpy(np.resize(heldout.labels, n)).to(place)
        try:
            samples = draw(model, n, labels, derive(self.trial.seed, "samples"))
        except SampleError as error:
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
    """Read a trial's folder; raise `RequestError` where it holds no finished trial."""
    try:
        trial = Trial.model_validate_json((folder / "trial.json").read_bytes())
        setting = Setting.model_validate_json((folder / "setting.json").read_bytes())
        state = torch.load(folder / "checkpoint.pt", map_location="cpu", weights_only=True)
    except (OSError, ValueError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise RequestError(f"{folder}: no finished trial ({reason})") from error
    return Finished(folder, trial, setting, state)
