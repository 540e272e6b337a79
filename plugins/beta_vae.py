"""beta-VAE: Higgins et al. 2017 (ICLR), Burgess et al. 2018 (arXiv:1804.03599), with the networks of `conv-vae`.

`beta` multiplies the KL term of the bound. Above 1, the papers' side, codes are pressed towards the prior and come
apart into independent factors, while images blur. Below 1 codes keep more of the image, reconstructions are sharper,
but codes follow the prior less, so that samples from N(0, I) suffer; `vae-gmm` mends that. The loss is the bound at 1
only. Burgess's capacity, a target of the KL term that rises in training, is left out; what else differs is what differs
in `conv-vae` (the papers have four convolutions, Adam at 1e-4 to 5e-4, batches of 64, and beta from 4 to 250 on images
of 64x64). The search space reaches below 1, where samples are sharper.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import ganbench
from ganbench_plugins.conv_vae import ConvVAE


class BetaVAE(ConvVAE):
    name, paper = "beta-vae", "arXiv:1804.03599"

    @dataclass(frozen=True)
    class Config(ConvVAE.Config):
        beta: Annotated[float, ganbench.LogUniform(0.1, 8.0)] = 2.0


@ganbench.hookimpl
def ganbench_register_models(register):
    register(BetaVAE)
