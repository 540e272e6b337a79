"""Autoencoder with ex-post density estimation: Ghosh, Sajjadi, Vergari, Black, Schoelkopf 2020 (arXiv:1903.12436).

The paper's AE row: no regulariser at all, squared error alone; once trained, a mixture of 10 Gaussians with full
covariances is fitted to the training images' codes, and latents are drawn from it. With `components=0` they are drawn
from N(0, I), which nothing made the codes resemble; the paper's baseline is one Gaussian (`components=1`).
What differs: networks are those of this suite's other models (two convolutions of 24 and 48 channels, where the paper
has four up to 1,024), batches are of 16 and not of 100, and the learning rate does not fall.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import ganbench
from ganbench_plugins.autoencoder import Autoencoder


class AEGMM(Autoencoder):
    name, paper = "ae-gmm", "arXiv:1903.12436"

    @dataclass(frozen=True)
    class Config(Autoencoder.Config):
        batch_size: int = 16
        components: Annotated[int, ganbench.Choice(1, 5, 10, 20, 40)] = 10


@ganbench.hookimpl
def ganbench_register_models(register):
    register(AEGMM)
