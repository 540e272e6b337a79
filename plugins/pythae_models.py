"""Models of pythae (arXiv:2206.08309) under this suite's loop, budget and seeds: ``pip install 'ganbench[peers]'``.

pythae's classes compute the losses and its samplers draw the samples, their code untouched. Encoder and decoder are
those of this suite's model of the same kind (`counterpart`), first weights included, so that ``vae`` and
``pythae-vae`` differ in nothing but who wrote the loss: `tests/plugins/test_pythae.py` compares losses and gradients,
`benchmarks/peers.py` scores. Hyper-parameters have our names and defaults; pythae's images span [0, 1] and ours
[-1, 1], so the weights of squared errors are converted. Models that we do not have take the networks of `conv-vae`.

What is ours: the loop and its batches, which pythae's trainer would draw otherwise; Adam's fused kernels; sums over
pixels are Bernoulli log likelihoods of images, and for points squared errors (variance 1 in [0, 1]), but for
`pythae-vae`. Steps stay in float32: pythae's trainer has no mixed precision for Bernoulli likelihoods either. The
mixture that autoencoders are sampled from is `mixture.Mixture`, since pythae's sampler refuses images without a white
pixel, and draws from a state that no checkpoint would hold.

Where pythae and we differ by definition: its RAE-GP penalises the gradient of the summed reconstruction by the image,
through the encoder, not the decoder's Jacobian at the code. Its VAMP starts from darker pseudo-inputs and here has no
warm-up (as `vamp[warmup=0]`); its sampler draws from posteriors whose log variance is squashed by tanh, which training
never sees (`prior = "as-trained"` draws from them as they are). Its IWAE reports another loss of the same gradient.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Annotated, Any, ClassVar, Literal

import torch
from torch import Tensor

import ganbench
from ganbench import Batch, Choice, DataSpec, LogUniform, Uniform
from ganbench_plugins.ae_gmm import AEGMM
from ganbench_plugins.beta_vae import BetaVAE
from ganbench_plugins.conv_vae import ConvVAE
from ganbench_plugins.iwae import IWAE
from ganbench_plugins.mixture import Mixture
from ganbench_plugins.rae_gp import RAEGP
from ganbench_plugins.rae_l2 import RAEL2
from ganbench_plugins.vae import VAE
from ganbench_plugins.vamp import Vamp
from ganbench_plugins.wae_mmd import WAEMMD


class Peer(ganbench.Model):
    """A model of pythae's: `theirs` names its class, `settings` says what its configuration holds."""

    family, requires, autocast = "vae", ("pythae",), False
    paper = "arXiv:2206.08309"
    theirs: ClassVar[str]
    counterpart: ClassVar[type[ganbench.Model]] = ConvVAE
    draws: ClassVar[str] = "NormalSampler"

    @dataclass(frozen=True)
    class Config:
        batch_size: Annotated[int, Choice(16, 32, 64, 100)] = ConvVAE.Config.batch_size
        latent_dim: Annotated[int, LogUniform(4, 32)] = ConvVAE.Config.latent_dim
        width: Annotated[int, Choice(16, 24, 32)] = ConvVAE.Config.width
        hidden: int = ConvVAE.Config.hidden
        lr: Annotated[float, LogUniform(3e-4, 5e-3)] = ConvVAE.Config.lr

    def __init__(self, data: DataSpec, config: Any) -> None:
        super().__init__(data, config)
        import pythae.models  # an extra

        from ganbench_plugins.pythae_networks import Decoder, Encoder

        given = asdict(config)
        shared = {each.name: given[each.name] for each in fields(self.counterpart.Config) if each.name in given}
        ours = self.counterpart(data, self.counterpart.Config(**shared))
        gaussian = self.family == "vae"
        settings = {"input_dim": data.shape, "latent_dim": config.latent_dim} | self.settings()
        self.peer = getattr(pythae.models, self.theirs)(
            getattr(pythae.models, f"{self.theirs}{'_' * ('_' in self.theirs)}Config")(**settings),
            encoder=Encoder(ours.encoder, gaussian),
            decoder=Decoder(ours.decoder, data.shape, gaussian and settings["reconstruction_loss"] == "bce"),
        )
        self.optimizer = torch.optim.Adam(self.groups(), lr=config.lr, fused=True)
        self.seen = 0

    @classmethod
    @ganbench.hookimpl
    def ganbench_register_models(cls, register: Any) -> None:
        register(cls)

    @classmethod
    def sampler(cls, config: Any) -> str:
        return "N(0, I)"

    def settings(self) -> dict[str, Any]:
        """Return what pythae's configuration holds beside the sizes of data and latents."""
        return {"reconstruction_loss": "bce" if len(self.data.shape) == 3 else "mse"}

    def groups(self) -> list[dict[str, Any]]:
        """Return the optimiser's groups of parameters."""
        return [{"params": list(self.parameters())}]

    def loss(self, images: Tensor) -> Any:
        """Return pythae's output for images in [-1, 1], called as its trainer does."""
        epoch = 1 + self.seen // self.data.n
        return self.peer({"data": (images + 1) / 2}, epoch=epoch, dataset_size=self.data.n)

    def step(self, batch: Batch) -> dict[str, Tensor]:
        output = self.loss(batch.images)
        self.seen += len(batch.images)
        self.optimizer.zero_grad(set_to_none=True)
        output.loss.backward()
        self.optimizer.step()
        return {name: output[name].detach().mean() for name in output if name.endswith("loss")}

    def sample(self, n: int, labels: Tensor | None = None) -> Tensor:
        return (2 * self.pictures(n) - 1).clamp(-1, 1)

    def pictures(self, n: int) -> Tensor:
        """Return n images in [0, 1] from pythae's sampler."""
        import pythae.samplers

        device = next(self.parameters()).device
        sampler = getattr(pythae.samplers, self.draws)(self.peer)
        sampler.device = self.peer.device = str(device)  # it takes a GPU wherever there is one
        self.peer.to(device)
        found: Tensor = sampler.sample(n, batch_size=n)
        return found


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
