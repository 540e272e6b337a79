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
from typing import Annotated, Any, ClassVar

import torch
from torch import Tensor

import ganbench
from ganbench import Batch, Choice, DataSpec, LogUniform
from ganbench_plugins.conv_vae import ConvVAE


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
