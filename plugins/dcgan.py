"""Deep convolutional GAN: Radford, Metz, Chintala 2015 (arXiv:1511.06434), sized for small images.

What differs from the paper, so that it learns from few images within minutes:
- the networks meet the image at a quarter of its size (7x7 for 28x28), as in today's tutorials, not at 4x4;
- the discriminator ends in a hidden layer (as in InfoGAN, arXiv:1606.03657), the generator has one more convolution
  at half the image's size, and the latent has 10 dimensions instead of 100: each made digits clearer at equal budget;
- batches of 32, Adam at 1e-3 instead of 2e-4, and a running average of the generator's weights, which is what samples;
- the discriminator sees images shifted by up to `translation` pixels (DiffAugment, arXiv:2006.10738), meant to
  keep it from learning a small training set by heart.

Weights are drawn from N(0, 0.02), as in the paper. `batch_norm=False` leaves batch normalisation out of both networks,
which the paper found critical for generators to learn; weights are drawn by He's rule then, since N(0, 0.02) would let
signals fade and be a handicap of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

import ganbench
from ganbench_plugins.adversarial import GAN
from ganbench_plugins.layers import decoder, encoder


class DCGAN(GAN):
    name, paper = "dcgan", "arXiv:1511.06434"

    @dataclass(frozen=True)
    class Config(GAN.Config):
        batch_norm: bool = True

    def make_generator(self) -> nn.Module:
        config = self.config
        return decoder(self.data, config.latent_dim, config.width, config.hidden, norm=config.batch_norm)

    def make_discriminator(self) -> nn.Module:
        return encoder(self.data, 1, self.config.width, self.config.hidden, norm=self.config.batch_norm)


@ganbench.hookimpl
def ganbench_register_models(register):
    register(DCGAN)
