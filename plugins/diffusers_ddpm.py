"""Denoising diffusion (Ho, Jain, Abbeel 2020, arXiv:2006.11239) as diffusers has it: ``pip install 'ganbench[peers]'``.

diffusers' `UNet2DModel` learns to predict the noise that its `DDPMScheduler` adds (1,000 steps, betas from 1e-4 to
0.02), squared error. Its `DDIMPipeline` (arXiv:2010.02502) draws samples in `sampling_steps` steps with `eta` 0, or
with `eta` 1 as ancestral sampling over so many steps does; it clips each estimate of the image to [-1, 1]. Their code
is untouched; the loop, the batches and the average of weights that samples (`ema`) are ours.

What differs from the paper: the network has three levels of 32 and 64 channels, one residual block each and attention
at none but the middle, so that 60,000 images take minutes on a CPU; no dropout, no flips; Adam at 1e-3, batches of 32.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Annotated, Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

import ganbench
from ganbench import Batch, Choice, DataSpec, LogUniform, Uniform
from ganbench_plugins.adversarial import follow
from ganbench_plugins.layers import quarter


class DiffusersDDPM(ganbench.Model):
    name, family, paper, requires = "diffusers-ddpm", "diffusion", "arXiv:2006.11239", ("diffusers",)
    transient = ("network._internal_dict", "average._internal_dict", "noise")  # settings, and tables made of them

    @dataclass(frozen=True)
    class Config:
        batch_size: Annotated[int, Choice(16, 32, 64)] = 32
        width: Annotated[int, Choice(16, 32)] = 32
        lr: Annotated[float, LogUniform(2e-4, 3e-3)] = 1e-3
        ema: Annotated[float, Choice(0.99, 0.995, 0.999)] = 0.995
        sampling_steps: int = 20
        eta: Annotated[float, Uniform(0.0, 1.0)] = 0.0

    def __init__(self, data: DataSpec, config: Any) -> None:
        super().__init__(data, config)
        if len(data.shape) != 3:
            raise ValueError(f"{self.name} needs images for its U-Net: {data.name} has points")
        quarter(data)  # refuses sides that cannot be halved twice
        from diffusers import DDPMScheduler, UNet2DModel  # an extra

        channels, height, side = data.shape
        self.network: nn.Module = UNet2DModel(
            sample_size=(height, side),
            in_channels=channels,
            out_channels=channels,
            layers_per_block=1,
            block_out_channels=(config.width, 2 * config.width, 2 * config.width),
            down_block_types=("DownBlock2D",) * 3,
            up_block_types=("UpBlock2D",) * 3,
            attention_head_dim=None,
            norm_num_groups=8,
        )
        self.average = copy.deepcopy(self.network).requires_grad_(False)
        self.noise = DDPMScheduler()
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=config.lr, fused=True)
        self.updates = 0

    @classmethod
    def sampler(cls, config: Any) -> str:
        return f"N(0, I) in {config.sampling_steps} steps of DDIM, averaged weights"

    def step(self, batch: Batch) -> dict[str, Tensor]:
        images, noise = batch.images, torch.randn_like(batch.images)
        times = torch.randint(self.noise.config.num_train_timesteps, (len(images),), device=images.device)
        guess = self.network(self.noise.add_noise(images, noise, times), times).sample
        loss = F.mse_loss(guess.float(), noise)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        self.updates += 1
        follow(self.average, self.network, self.config.ema, self.updates)
        return {"noise": loss.detach()}

    def sample(self, n: int, labels: Tensor | None = None) -> Tensor:
        from diffusers import DDIMPipeline

        pipeline = DDIMPipeline(self.average, self.noise)  # it makes a DDIMScheduler of that one's settings
        pipeline.set_progress_bar_config(disable=True)
        steps = self.config.sampling_steps
        images = pipeline(n, eta=self.config.eta, num_inference_steps=steps, output_type="np").images
        return 2 * torch.from_numpy(images).permute(0, 3, 1, 2).contiguous() - 1


@ganbench.hookimpl
def ganbench_register_models(register):
    register(DiffusersDDPM)
