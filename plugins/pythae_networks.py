"""Networks of this suite as pythae takes them: from images in [0, 1], and back to them. It imports pythae."""

from __future__ import annotations

from typing import Any

from pythae.models.base.base_utils import ModelOutput
from pythae.models.nn import BaseDecoder, BaseEncoder
from torch import Tensor, nn


class Encoder(BaseEncoder):
    """Gives `network` images in [-1, 1]; where codes are `gaussian` its outputs are their means and log variances."""

    def __init__(self, network: nn.Module, gaussian: bool) -> None:
        super().__init__()
        self.network, self.gaussian = network, gaussian

    def forward(self, images: Tensor) -> Any:
        output = self.network(2 * images - 1)
        if not self.gaussian:
            return ModelOutput(embedding=output)
        mean, log_variance = output.chunk(2, dim=1)
        return ModelOutput(embedding=mean, log_covariance=log_variance)


class Decoder(BaseDecoder):
    """Makes images in [0, 1] of what `network` gives: of `logits`, or of values in [-1, 1]."""

    def __init__(self, network: nn.Module, shape: tuple[int, ...], logits: bool) -> None:
        super().__init__()
        self.network, self.shape, self.logits = network, shape, logits

    def forward(self, latent: Tensor) -> Any:
        output = self.network(latent).reshape(-1, *self.shape)
        return ModelOutput(reconstruction=output.sigmoid() if self.logits else (output + 1) / 2)
