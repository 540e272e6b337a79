"""A hidden Markov model of images: their rows, from top to bottom, are a sequence with Gaussian emissions.

Baum and Welch's expectation maximisation as hmmlearn has it (an extra: ``pip install 'ganbench[hmm]'``), from k-means.
Rows of all channels are projected onto their first `dimensions` principal components; each of `states` hidden states
emits codes of a mean and a variance for each component. Rows are independent given their states, so what one discrete
state does not say of the row above is forgotten: strokes break. Small data get one state for every 100 rows at most.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import torch
from torch import Tensor

import ganbench
from ganbench import Batch, DataSpec
from ganbench_plugins.gmm import PCA


class HMM(ganbench.Model):
    name, family, requires = "hmm", "baseline", ("hmmlearn",)

    start: Tensor
    transitions: Tensor
    means: Tensor
    deviations: Tensor

    @dataclass(frozen=True)
    class Config:
        states: Annotated[int, ganbench.LogUniform(30, 120)] = 60
        dimensions: Annotated[int, ganbench.LogUniform(8, 28)] = 20
        iterations: int = 5

    def __init__(self, data: DataSpec, config: Config) -> None:
        super().__init__(data, config)
        if len(data.shape) != 3:
            raise ValueError(f"{self.name} needs images, whose rows it reads: {data.name} has points")
        channels, height, width = data.shape
        self.pca = PCA((channels, width), config.dimensions)
        states, dimensions = max(1, min(config.states, data.n * height // 100)), self.pca.dimensions
        self.register_buffer("start", torch.full((states,), 1 / states))
        self.register_buffer("transitions", torch.full((states, states), 1 / states))
        self.register_buffer("means", torch.zeros(states, dimensions))
        self.register_buffer("deviations", torch.ones(states, dimensions))

    @classmethod
    def sampler(cls, config: Config) -> str:
        return f"rows from {config.states} hidden states"

    @torch.no_grad()
    def finish(self, data: Batch) -> None:
        from hmmlearn.hmm import GaussianHMM  # an extra
        from sklearn.cluster import KMeans  # takes a second to import

        rows = data.images.transpose(1, 2).flatten(0, 1)
        self.pca.fit(rows)
        codes = self.pca.encode(rows).double().cpu().numpy()
        states, seed = len(self.start), int(torch.randint(2**31 - 1, ()))
        settings = {"n_iter": self.config.iterations, "init_params": "stc", "implementation": "scaling"}
        found = GaussianHMM(states, "diag", random_state=seed, **settings)
        found.means_ = KMeans(states, n_init=1, random_state=seed).fit(codes).cluster_centers_
        found.fit(codes, [data.images.shape[2]] * len(data.images))
        self.start.copy_(torch.from_numpy(found.startprob_))
        self.transitions.copy_(torch.from_numpy(found.transmat_))
        self.transitions[self.transitions.sum(1) == 0] = 1 / states  # states that are seen in the last row alone
        self.means.copy_(torch.from_numpy(found.means_))
        variances = found.covars_.diagonal(axis1=1, axis2=2)  # hmmlearn keeps them above 0
        self.deviations.copy_(torch.from_numpy(variances.copy()).sqrt())

    def sample(self, n: int, labels: Tensor | None = None) -> Tensor:
        height, state, rows = self.data.shape[1], torch.multinomial(self.start, n, replacement=True), []
        for _ in range(height):
            noise = torch.randn(n, self.means.shape[1], device=self.means.device)
            rows.append(self.pca.decode(self.means[state] + self.deviations[state] * noise))
            state = torch.multinomial(self.transitions[state], 1)[:, 0]
        return torch.stack(rows, 2)


@ganbench.hookimpl
def ganbench_register_models(register):
    register(HMM)
