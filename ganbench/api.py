"""ganbench from Python: the same session that the command line runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from ganbench.data.dataset import Dataset
from ganbench.errors import RequestError
from ganbench.model import DataSpec, Model
from ganbench.registry import resolve
from ganbench.session import Request, prepare
from ganbench.shipped import built_in, discover
from ganbench.trials.config import make_config
from ganbench.trials.plan import load_dataset
from ganbench.trials.record import Record
from ganbench.trials.trial import Setting, Trial


def run(
    models: str | Sequence[str | type[Model]],
    track: str = "mnist5k-quick",
    *,
    seeds: int | str | None = None,
    budget: str | None = None,
    device: str = "auto",
    out: str | Path = "runs",
) -> list[Record]:
    """Train and score models on a track; return one record for each trial, the baselines' included.

    `models` are names, variants such as ``"vae[latent_dim=64]"``, ``"./file.py:Class"``, or classes that an importable
    module defines. Trials that have a record in `out` are not trained again. Raises `RequestError` for a wrong
    request; a trial that fails is a record that says so.
    """
    request = Request(plugins=models, track=track, seeds=seeds, budget=budget, device=device, out=Path(out))
    return prepare(request, discover()).run()


def load(folder: str | Path) -> Model:
    """Return the trained model of a run folder, on the CPU, ready to sample.

    Raises `RequestError` where the folder holds no finished trial or its plugin's class is gone.
    """
    folder = Path(folder)
    try:
        trial = Trial.model_validate_json((folder / "trial.json").read_bytes())
        setting = Setting.model_validate_json((folder / "setting.json").read_bytes())
        state = torch.load(folder / "checkpoint.pt", map_location="cpu", weights_only=True)
    except (OSError, ValueError) as error:
        raise RequestError(f"{folder}: no finished trial ({error})") from error
    registry = built_in()
    name = trial.track.protocol.dataset
    dataset: Dataset = load_dataset(name, registry if registry.has("datasets", name) else discover(), setting.data_dir)
    model_class = resolve(trial.address)
    spec = DataSpec(dataset.shape, dataset.classes, dataset.name, len(dataset.train))
    model = model_class(spec, make_config(model_class, trial.config))
    model.load_state_dict(state["model"])
    model.load_extra_state(state["extra"])
    return model.eval()
