"""pythae's variational autoencoders as peers of ours: `pythae_peer.py` says what is theirs and what is ours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import torch
from torch import Tensor

from ganbench import Choice, LogUniform, Uniform
from ganbench_plugins.beta_vae import BetaVAE
from ganbench_plugins.conv_vae import ConvVAE
from ganbench_plugins.iwae import IWAE
from ganbench_plugins.pythae_peer import Peer
from ganbench_plugins.vae import VAE
from ganbench_plugins.vamp import Vamp


class PythaeVAE(Peer):
    name, theirs, counterpart = "pythae-vae", "VAE", VAE

    @dataclass(frozen=True)
    class Config:
        batch_size: Annotated[int, Choice(16, 32, 64, 100)] = VAE.Config.batch_size
        latent_dim: Annotated[int, LogUniform(5, 40)] = VAE.Config.latent_dim
        hidden: Annotated[int, LogUniform(250, 1000)] = VAE.Config.hidden
        lr: Annotated[float, LogUniform(3e-4, 5e-3)] = VAE.Config.lr

    def settings(self) -> dict[str, Any]:
        return {"reconstruction_loss": "bce"}  # of points too, as `vae`


class PythaeBetaVAE(Peer):
    name, theirs, counterpart = "pythae-beta-vae", "BetaVAE", BetaVAE

    @dataclass(frozen=True)
    class Config(Peer.Config):
        batch_size: int = BetaVAE.Config.batch_size
        latent_dim: int = BetaVAE.Config.latent_dim
        width: int = BetaVAE.Config.width
        lr: float = BetaVAE.Config.lr
        beta: Annotated[float, LogUniform(0.1, 8.0)] = BetaVAE.Config.beta

    def settings(self) -> dict[str, Any]:
        return super().settings() | {"beta": self.config.beta}


class PythaeIWAE(Peer):
    name, theirs, counterpart = "pythae-iwae", "IWAE", IWAE

    @dataclass(frozen=True)
    class Config(Peer.Config):
        batch_size: int = IWAE.Config.batch_size
        latent_dim: int = IWAE.Config.latent_dim
        width: int = IWAE.Config.width
        lr: float = IWAE.Config.lr
        samples: Annotated[int, Choice(2, 5, 10)] = IWAE.Config.samples

    def settings(self) -> dict[str, Any]:
        return super().settings() | {"number_samples": self.config.samples}


class PythaeCIWAE(PythaeIWAE):
    """The bounds of VAE and IWAE, weighted by beta and 1 - beta (Rainforth et al. 2018, arXiv:1802.04537)."""

    name, theirs, paper = "pythae-ciwae", "CIWAE", "arXiv:1802.04537"
    counterpart = ConvVAE

    @dataclass(frozen=True)
    class Config(PythaeIWAE.Config):
        beta: Annotated[float, Uniform(0.05, 0.95)] = 0.5

    def settings(self) -> dict[str, Any]:
        return super().settings() | {"beta": self.config.beta}


class PythaeMIWAE(PythaeIWAE):
    """The mean of several importance weighted bounds (Rainforth et al. 2018, arXiv:1802.04537)."""

    name, theirs, paper = "pythae-miwae", "MIWAE", "arXiv:1802.04537"

    @dataclass(frozen=True)
    class Config(PythaeIWAE.Config):
        samples: Annotated[int, Uniform(2, 5)] = 3
        estimates: Annotated[int, Uniform(2, 3)] = 2

    def settings(self) -> dict[str, Any]:
        return super().settings() | {"number_gradient_estimates": self.config.estimates}


class PythaeVAMP(Peer):
    name, theirs, counterpart = "pythae-vamp", "VAMP", Vamp
    draws = "VAMPSampler"

    @dataclass(frozen=True)
    class Config(Peer.Config):
        batch_size: int = Vamp.Config.batch_size
        latent_dim: int = Vamp.Config.latent_dim
        width: int = Vamp.Config.width
        lr: float = Vamp.Config.lr
        components: Annotated[int, Choice(50, 100, 200, 500)] = Vamp.Config.components
        prior: Literal["sampler", "as-trained"] = "sampler"

    @classmethod
    def sampler(cls, config: Any) -> str:
        how = "variances squashed by pythae's sampler" if config.prior == "sampler" else "as trained"
        return f"posteriors of {config.components} learned pseudo-inputs, {how}"

    def settings(self) -> dict[str, Any]:
        return super().settings() | {"number_components": self.config.components}

    def pictures(self, n: int) -> Tensor:
        if self.config.prior == "sampler":
            return super().pictures(n)
        device = next(self.parameters()).device
        pseudo = self.peer.pseudo_inputs(self.peer.idle_input.to(device)).reshape(-1, *self.data.shape)
        posterior = self.peer.encoder(pseudo)
        mean, deviation = posterior.embedding, (0.5 * posterior.log_covariance).exp()
        k = torch.randint(len(mean), (n,), device=device)
        found: Tensor = self.peer.decoder(mean[k] + deviation[k] * torch.randn_like(mean[k])).reconstruction
        return found


class PythaeBetaTCVAE(Peer):
    """The KL term in three parts, of which beta weighs the total correlation (Chen et al. 2018, arXiv:1802.04942)."""

    name, theirs, paper = "pythae-beta-tc-vae", "BetaTCVAE", "arXiv:1802.04942"

    @dataclass(frozen=True)
    class Config(Peer.Config):
        beta: Annotated[float, LogUniform(0.3, 10.0)] = 2.0

    def settings(self) -> dict[str, Any]:
        return super().settings() | {"beta": self.config.beta}


class PythaeInfoVAE(Peer):
    """KL and MMD side by side, weighted by 1 - alpha and alpha + lambda - 1 (Zhao et al. 2017, arXiv:1706.02262)."""

    name, theirs, paper = "pythae-info-vae", "INFOVAE_MMD", "arXiv:1706.02262"

    @dataclass(frozen=True)
    class Config(Peer.Config):
        alpha: Annotated[float, Uniform(0.0, 1.0)] = 0.5
        mmd_weight: Annotated[float, LogUniform(1.0, 1000.0)] = 100.0

    def settings(self) -> dict[str, Any]:
        return super().settings() | {"alpha": self.config.alpha, "lbd": self.config.mmd_weight}


class PythaeDisentangledBetaVAE(Peer):
    """beta |KL - C|, the capacity C rising over the first epochs (Burgess et al. 2018, arXiv:1804.03599)."""

    name, theirs, paper = "pythae-disentangled-beta-vae", "DisentangledBetaVAE", "arXiv:1804.03599"

    @dataclass(frozen=True)
    class Config(Peer.Config):
        beta: Annotated[float, LogUniform(1.0, 30.0)] = 10.0
        capacity: Annotated[float, Uniform(5.0, 50.0)] = 20.0
        warmup: int = 6

    def settings(self) -> dict[str, Any]:
        config = self.config
        return super().settings() | {"beta": config.beta, "C": config.capacity, "warmup_epoch": config.warmup}


class PythaeIAF(Peer):
    """A posterior behind inverse autoregressive flows (Kingma et al. 2016, arXiv:1606.04934)."""

    name, theirs, paper = "pythae-vae-iaf", "VAE_IAF", "arXiv:1606.04934"

    @dataclass(frozen=True)
    class Config(Peer.Config):
        flows: Annotated[int, Uniform(1, 4)] = 2

    def settings(self) -> dict[str, Any]:
        return super().settings() | {"n_made_blocks": self.config.flows}


class PythaeLinNF(Peer):
    """A posterior behind planar flows (Rezende & Mohamed 2015, arXiv:1505.05770)."""

    name, theirs, paper = "pythae-vae-lin-nf", "VAE_LinNF", "arXiv:1505.05770"

    @dataclass(frozen=True)
    class Config(Peer.Config):
        flows: Annotated[int, Uniform(1, 10)] = 5

    def settings(self) -> dict[str, Any]:
        return super().settings() | {"flows": ["Planar"] * self.config.flows}
