"""pythae's regularised autoencoders as peers of ours: `pythae_peer.py` says what is theirs and what is ours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import torch
from torch import Tensor

from ganbench import Batch, Choice, DataSpec, LogUniform
from ganbench_plugins.ae_gmm import AEGMM
from ganbench_plugins.mixture import Mixture
from ganbench_plugins.pythae_peer import Peer
from ganbench_plugins.rae_gp import RAEGP
from ganbench_plugins.rae_l2 import RAEL2
from ganbench_plugins.wae_mmd import WAEMMD


class PythaeAutoencoder(Peer):
    """A plain autoencoder: no regulariser, a mixture fitted to its codes."""

    name, theirs, family, counterpart = "pythae-ae", "AE", "autoencoder", AEGMM

    @dataclass(frozen=True)
    class Config(Peer.Config):
        batch_size: Annotated[int, Choice(16, 32, 64)] = AEGMM.Config.batch_size
        latent_dim: Annotated[int, LogUniform(6, 32)] = AEGMM.Config.latent_dim
        width: int = AEGMM.Config.width
        lr: float = AEGMM.Config.lr
        components: Annotated[int, Choice(0, 1, 5, 10, 20, 40)] = AEGMM.Config.components

    def __init__(self, data: DataSpec, config: Any) -> None:
        super().__init__(data, config)
        self.mixture = Mixture(config.latent_dim, config.components)

    @classmethod
    def sampler(cls, config: Any) -> str:
        return f"{config.components} Gaussians fitted to codes" if config.components else "N(0, I)"

    def settings(self) -> dict[str, Any]:
        return {}

    @torch.no_grad()
    def finish(self, data: Batch) -> None:
        if not self.config.components:
            return
        was_training = self.training
        self.eval()
        codes = [self.peer.encoder((part + 1) / 2).embedding for part in data.images.split(500)]
        self.mixture.fit(torch.cat(codes))
        self.train(was_training)

    def pictures(self, n: int) -> Tensor:
        if not self.config.components:
            return super().pictures(n)
        found: Tensor = self.peer.decoder(self.mixture.sample(n)).reconstruction
        return found


class PythaeWAEMMD(PythaeAutoencoder):
    """Our squared error is twice the one over [0, 1], so that pythae's is scaled by 2."""

    name, theirs, counterpart = "pythae-wae-mmd", "WAE_MMD", WAEMMD

    @dataclass(frozen=True)
    class Config(PythaeAutoencoder.Config):
        batch_size: Annotated[int, Choice(32, 64, 100)] = WAEMMD.Config.batch_size
        latent_dim: int = WAEMMD.Config.latent_dim
        width: int = WAEMMD.Config.width
        lr: float = WAEMMD.Config.lr
        mmd_weight: Annotated[float, LogUniform(50.0, 2000.0)] = WAEMMD.Config.mmd_weight
        components: int = WAEMMD.Config.components

    def settings(self) -> dict[str, Any]:
        return {"reg_weight": self.config.mmd_weight, "reconstruction_loss_scale": 2.0}


class PythaeRAEL2(PythaeAutoencoder):
    """Its loss is half of ours; the decoder's norm is Adam's weight decay, as in pythae's training pipeline."""

    name, theirs, counterpart = "pythae-rae-l2", "RAE_L2", RAEL2

    @dataclass(frozen=True)
    class Config(PythaeAutoencoder.Config):
        batch_size: int = RAEL2.Config.batch_size
        latent_dim: int = RAEL2.Config.latent_dim
        width: int = RAEL2.Config.width
        lr: float = RAEL2.Config.lr
        code_weight: Annotated[float, LogUniform(1e-4, 1.0)] = RAEL2.Config.code_weight
        decoder_weight: Annotated[float, LogUniform(1e-6, 1e-2)] = RAEL2.Config.decoder_weight
        components: int = RAEL2.Config.components

    def settings(self) -> dict[str, Any]:
        return {"embedding_weight": self.config.code_weight / 2, "reg_weight": self.config.decoder_weight}

    def groups(self) -> list[dict[str, Any]]:
        return [
            {"params": list(self.peer.encoder.parameters())},
            {"params": list(self.peer.decoder.parameters()), "weight_decay": self.config.decoder_weight},
        ]


class PythaeRAEGP(PythaeRAEL2):
    """Its penalty is another one than ours (above), and its weight half of ours, as the loss is."""

    name, theirs, counterpart = "pythae-rae-gp", "RAE_GP", RAEGP

    @dataclass(frozen=True)
    class Config(PythaeRAEL2.Config):
        batch_size: int = RAEGP.Config.batch_size
        latent_dim: int = RAEGP.Config.latent_dim
        width: int = RAEGP.Config.width
        lr: float = RAEGP.Config.lr
        code_weight: float = RAEGP.Config.code_weight
        decoder_weight: Annotated[float, LogUniform(1e-5, 1.0)] = RAEGP.Config.decoder_weight
        components: int = RAEGP.Config.components

    def settings(self) -> dict[str, Any]:
        return {"embedding_weight": self.config.code_weight / 2, "reg_weight": self.config.decoder_weight / 2}

    def groups(self) -> list[dict[str, Any]]:
        return [{"params": list(self.parameters())}]
