"""One model's study: what was tried, and what is tried next. Optuna suggests, and keeps it all in a journal file.

The first trial has the model's defaults, so that tuning never ends worse than where it began. The others are suggested
by a tree-structured Parzen estimator, after a few that are random (Bergstra et al. 2011). Suggestions depend on the
study's name and what was tried alone, so a search that was interrupted goes on as if it had not been.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganbench.experiment.settings_file import Tried
from ganbench.model import Model
from ganbench.search_space import Choice, LogUniform, Space
from ganbench.training.hyperparameters import label_of, make_config

if TYPE_CHECKING:
    import optuna

RANDOM = 4
"""Trials that are random before suggestions follow from what was tried."""


@dataclass(frozen=True)
class Trial:
    """One setting: its number in the study, its hyper-parameters, and the label that its runs have."""

    number: int
    params: dict[str, Any]
    label: str


@dataclass(frozen=True)
class Study:
    """A model with some hyper-parameters fixed, and the spaces of those that are searched.

    `plugin` is how it was asked for without brackets: a name, or ``./file.py:Class``. `protocol` tells apart what must
    not share a study: training and scoring protocol, seeds, source.
    """

    model: type[Model]
    plugin: str
    fixed: dict[str, Any]
    spaces: dict[str, Space]
    protocol: tuple[str, ...]
    journal: Path
    _opened: list[Any] = field(default_factory=list, compare=False)

    @property
    def label(self) -> str:
        return label_of(self.model, make_config(self.model, self.fixed))

    @property
    def asked(self) -> str:
        """Return the model as ``--plugins`` takes it."""
        return self._text(self.fixed)

    @property
    def name(self) -> str:
        told = [self.label, *self.protocol, *(f"{name}: {space}" for name, space in self.spaces.items())]
        return f"{self.label} {hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16]}"

    @property
    def defaults(self) -> dict[str, Any]:
        config = make_config(self.model, self.fixed)
        return {name: getattr(config, name) for name in self.spaces}

    def text(self, trial: Trial) -> str:
        """Return a trial as ``--plugins`` takes it."""
        return self._text(trial.params)

    def _text(self, params: dict[str, Any]) -> str:
        settings = ",".join(f"{name}={_written(value)}" for name, value in params.items())
        return f"{self.plugin}[{settings}]" if settings else self.plugin

    def pending(self) -> list[Trial]:
        """Return trials that were asked for and have not ended: those of a search that was interrupted."""
        from optuna.trial import TrialState

        found = self._study().get_trials(deepcopy=False, states=(TrialState.RUNNING,))
        return [self._trial(each.number, each.params) for each in found]

    def finished(self) -> list[Tried]:
        """Return what has ended, in the order in which it was asked for."""
        study = self._study()
        ends = study.user_attrs
        return [
            Tried(params=self._params(each.params), value=each.value, **ends.get(str(each.number), {}))
            for each in study.get_trials(deepcopy=False)
            if each.state.is_finished()
        ]

    def ask(self, count: int) -> list[Trial]:
        """Return so many new trials."""
        found = []
        for _ in range(count):
            study = self._study()
            if not study.get_trials(deepcopy=False):
                study.enqueue_trial(self.defaults)
            asked = study.ask(self._distributions)
            found.append(self._trial(asked.number, asked.params))
        return found

    def tell(self, trial: Trial, value: float | None, seconds: float, status: str) -> None:
        """Note how a trial ended; `value` is None where a run of it failed."""
        from optuna.trial import TrialState

        study = self._study()
        study.set_user_attr(str(trial.number), {"seconds": round(seconds, 2), "status": status})
        study.tell(trial.number, value, state=TrialState.FAIL if value is None else TrialState.COMPLETE)

    def _trial(self, number: int, params: dict[str, Any]) -> Trial:
        given = self._params(params)
        return Trial(number, given, label_of(self.model, make_config(self.model, given)))

    def _params(self, suggested: dict[str, Any]) -> dict[str, Any]:
        """Return all that is set; numbers with three digits, so that labels can be read."""
        return self.fixed | {
            name: float(f"{value:.3g}") if isinstance(value, float) else value for name, value in suggested.items()
        }

    def _study(self) -> optuna.Study:
        """Open the study, with a sampler whose draws depend on what was tried alone."""
        import optuna
        from optuna.storages.journal import JournalFileBackend

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        if not self._opened:
            storage = optuna.storages.JournalStorage(JournalFileBackend(str(self.journal)))
            self._opened.append(optuna.create_study(storage=storage, study_name=self.name, load_if_exists=True))
        study: optuna.Study = self._opened[0]
        tried = len(study.get_trials(deepcopy=False))
        seed = int.from_bytes(hashlib.sha256(f"{self.name} {tried}".encode()).digest()[:4], "big")
        study.sampler = optuna.samplers.TPESampler(seed=seed, n_startup_trials=1 + RANDOM)
        return study

    @cached_property
    def _distributions(self) -> dict[str, optuna.distributions.BaseDistribution]:
        return {name: _distribution(space, self.defaults[name]) for name, space in self.spaces.items()}


def _distribution(space: Space, default: Any) -> optuna.distributions.BaseDistribution:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if isinstance(space, Choice):
        return CategoricalDistribution(space.values)
    log = isinstance(space, LogUniform)
    if isinstance(default, int):
        return IntDistribution(int(space.low), int(space.high), log=log)
    return FloatDistribution(space.low, space.high, log=log)


def _written(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
