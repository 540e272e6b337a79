"""Autoencoder with ex-post density estimation: Ghosh, Sajjadi, Vergari, Black, Schoelkopf 2020 (arXiv:1903.12436).

The paper's AE row: no regulariser at all, squared error alone; once trained, a mixture of 10 Gaussians with full
covariances is fitted to the training images' codes, and latents are drawn from it. With `components=0` they are drawn
from N(0, I), which nothing made the codes resemble. Networks are those of this suite's other models, and smaller than
the paper's.
"""

from __future__ import annotations

from dataclasses import dataclass

import ganbench
from ganbench_plugins.autoencoder import Autoencoder


class AEGMM(Autoencoder):
    name, paper = "ae-gmm", "arXiv:1903.12436"

    @dataclass(frozen=True)
    class Config(Autoencoder.Config):
        batch_size: int = 16


@ganbench.hookimpl
def ganbench_register_models(register):
    register(AEGMM)
