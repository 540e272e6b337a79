"""Models with one mistake each, made from a sound one; `cases` says which check finds it."""

from __future__ import annotations

import os
import random
import signal
import sys
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from ganbench.model import Batch, DataSpec, Model


class Sound(Model):
    name = "sound"

    @dataclass(frozen=True)
    class Config:
        batch_size: int = 16

    def __init__(self, data: DataSpec, config: Any) -> None:
        super().__init__(data, config)
        size = torch.Size(data.shape).numel()
        self.net = nn.Sequential(nn.Linear(3, 8), nn.BatchNorm1d(8), nn.Linear(8, size), nn.Tanh())
        self.optimizer = torch.optim.Adam(self.parameters(), 1e-2)

    def step(self, batch: Batch) -> dict[str, Tensor]:
        made = self.net(torch.randn(len(batch.images), 3, device=batch.images.device)).view_as(batch.images)
        loss = (made - batch.images).square().mean()
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return {"loss": loss}

    def sample(self, n: int, labels: Tensor | None = None) -> Tensor:
        return self.net(torch.randn(n, 3, device=self.net[0].weight.device)).view(n, *self.data.shape)


class ConfigOfItsOwn(Sound):
    class Config:
        batch_size = 16


class Global(Sound):
    def step(self, batch: Batch) -> dict[str, Tensor]:
        torch.use_deterministic_algorithms(True)
        return super().step(batch)


class LossOfEach(Sound):
    def step(self, batch: Batch) -> dict[str, Tensor]:
        return {"loss": batch.images.flatten(1).mean(1)}


class Saturating(Sound):
    """The logarithm of a probability: 1 - 1e-3 is 1 in bfloat16."""

    def step(self, batch: Batch) -> dict[str, Tensor]:
        ones = torch.ones(len(batch.images), 7)
        return super().step(batch) | {"surprise": -(1 - (ones @ ones.T[:, :1]).sigmoid()).log().mean()}


class OneTooMany(Sound):
    def sample(self, n: int, labels: Tensor | None = None) -> Tensor:
        return super().sample(n + n % 2)


class Deaf(Sound):
    def sample(self, n: int, labels: Tensor | None = None) -> Tensor:
        return torch.zeros(n, *self.data.shape)


class Watched(Sound):
    def __init__(self, data: DataSpec, config: Any) -> None:
        super().__init__(data, config)
        self.drawn = 0

    def step(self, batch: Batch) -> dict[str, Tensor]:
        return {"loss": super().step(batch)["loss"] + self.drawn}

    def sample(self, n: int, labels: Tensor | None = None) -> Tensor:
        self.drawn += n
        return super().sample(n)


class Forgetful(Sound):
    """What `sample` needs is nowhere in the model."""

    memory = torch.zeros(())

    def __init__(self, data: DataSpec, config: Any) -> None:
        super().__init__(data, config)
        type(self).memory = torch.zeros(())

    def step(self, batch: Batch) -> dict[str, Tensor]:
        type(self).memory = self.memory + 0.1
        return super().step(batch)

    def sample(self, n: int, labels: Tensor | None = None) -> Tensor:
        return (super().sample(n) + self.memory).clamp(-1, 1)


class Iterating(Sound):
    def __init__(self, data: DataSpec, config: Any) -> None:
        super().__init__(data, config)
        self.numbers = iter(range(10**6))

    def step(self, batch: Batch) -> dict[str, Tensor]:
        return {"loss": super().step(batch)["loss"] + next(self.numbers)}


class NotANumber(Sound):
    """Its fourth loss."""

    def __init__(self, data: DataSpec, config: Any) -> None:
        super().__init__(data, config)
        self.steps = 0

    def step(self, batch: Batch) -> dict[str, Tensor]:
        self.steps += 1
        return {"loss": super().step(batch)["loss"] * (float("nan") if self.steps == 4 else 1)}


class Relabelling(Sound):
    def step(self, batch: Batch) -> dict[str, Tensor]:
        assert batch.labels is not None
        batch.labels.zero_()
        return super().step(batch)


class Storing(Sound):
    """Puts what a layer gave into a float32 tensor, which torch refuses where the layer gave bfloat16."""

    def step(self, batch: Batch) -> dict[str, Tensor]:
        stored = torch.zeros(len(batch.images), 8)
        stored[torch.arange(len(stored))] = self.net[0](torch.ones(len(stored), 3))
        return super().step(batch)


class Unlike(Sound):
    """No two of its objects are alike."""

    made = 0

    def __init__(self, data: DataSpec, config: Any) -> None:
        super().__init__(data, config)
        type(self).made += 1
        self.offset = type(self).made

    def step(self, batch: Batch) -> dict[str, Tensor]:
        return {"loss": super().step(batch)["loss"] + self.offset}


class UnlikeSamples(Unlike):
    def step(self, batch: Batch) -> dict[str, Tensor]:
        return Sound.step(self, batch)

    def sample(self, n: int, labels: Tensor | None = None) -> Tensor:
        return (super().sample(n) + 0.01 * self.offset).clamp(-1, 1)


class WornBySaving(Sound):
    """Each checkpoint that it hands its state to changes how it trains."""

    def extra_state(self) -> dict[str, Any]:
        with torch.no_grad():
            self.net[0].weight.mul_(0.9)
        return {}


class Rising(Iterating):
    """Says that its checkpoint holds all, and its count of steps is not there."""

    transient = ("numbers",)

    def extra_state(self) -> dict[str, Any]:
        return {}


class Averaging(Sound):
    """Its samples depend on the number of its steps, which no loss shows and no checkpoint holds."""

    transient = ("counter",)

    def __init__(self, data: DataSpec, config: Any) -> None:
        super().__init__(data, config)
        self.counter, self.brightness = iter(range(10**6)), torch.zeros(())

    def step(self, batch: Batch) -> dict[str, Tensor]:
        self.brightness += 0.1 / (1 + next(self.counter))
        return super().step(batch)

    def sample(self, n: int, labels: Tensor | None = None) -> Tensor:
        return (super().sample(n) + self.brightness).clamp(-1, 1)

    def extra_state(self) -> dict[str, Any]:
        return {}


class Nameless(Sound):
    name = None  # type: ignore[assignment]


class CalledNoise(Sound):
    name = "noise"


class WithoutADefault(Sound):
    @dataclass(frozen=True)
    class Config:
        lr: float


class UnsavableConfig(Sound):
    @dataclass(frozen=True)
    class Config:
        batch_size: int = 16
        device: Any = torch.device("cpu")


class Double(Sound):
    def __init__(self, data: DataSpec, config: Any) -> None:
        super().__init__(data, config)
        torch.set_default_dtype(torch.float64)


class Threads(Sound):
    def step(self, batch: Batch) -> dict[str, Tensor]:
        torch.set_num_threads(torch.get_num_threads() + 1)
        return super().step(batch)


class Moving(Sound):
    def step(self, batch: Batch) -> dict[str, Tensor]:
        os.chdir("/")
        return super().step(batch)


class Handling(Sound):
    def sample(self, n: int, labels: Tensor | None = None) -> Tensor:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        return super().sample(n)


class Silent(Sound):
    def step(self, batch: Batch) -> dict[str, Tensor]:
        sys.stdout.close()
        return super().step(batch)


class Reseeding(Sound):
    def __init__(self, data: DataSpec, config: Any) -> None:
        torch.manual_seed(0)
        super().__init__(data, config)


class ReseedingSteps(Sound):
    def step(self, batch: Batch) -> dict[str, Tensor]:
        torch.manual_seed(0)
        return super().step(batch)


class SeedingPython(Sound):
    def step(self, batch: Batch) -> dict[str, Tensor]:
        random.seed(0)
        return super().step(batch)


class SameWeights(Sound):
    def __init__(self, data: DataSpec, config: Any) -> None:
        super().__init__(data, config)
        generator = torch.Generator().manual_seed(0)
        for weight in self.parameters():
            nn.init.normal_(weight, generator=generator)


class FloatLoss(Sound):
    def step(self, batch: Batch) -> dict[str, Tensor]:
        return {"loss": float(super().step(batch)["loss"].detach())}  # type: ignore[dict-item]


class NoLoss(Sound):
    def step(self, batch: Batch) -> dict[str, Tensor]:
        super().step(batch)
        return None  # type: ignore[return-value]


class Failing(Sound):
    def step(self, batch: Batch) -> dict[str, Tensor]:
        return {"loss": self.net(batch.images)}


class LeavesBySysExit(Sound):
    def step(self, batch: Batch) -> dict[str, Tensor]:
        sys.exit(3)


class Rough(Sound):
    """Keeps what a layer gave, bfloat16 under autocast, for `sample`."""

    def __init__(self, data: DataSpec, config: Any) -> None:
        super().__init__(data, config)
        self.code = torch.zeros(1, 3)

    def step(self, batch: Batch) -> dict[str, Tensor]:
        losses = super().step(batch)
        self.code = nn.functional.linear(batch.images.flatten(1)[:1, :3], torch.ones(3, 3)).detach()
        return losses

    def sample(self, n: int, labels: Tensor | None = None) -> Tensor:
        return (super().sample(n) + self.net(self.code.expand(n, 3)).view(n, *self.data.shape)) / 2


class IgnoresImages(Sound):
    def step(self, batch: Batch) -> dict[str, Tensor]:
        return super().step(Batch(torch.zeros_like(batch.images), batch.labels))


class NeedsLabels(Sound):
    """It counts on labels without saying so."""

    def step(self, batch: Batch) -> dict[str, Tensor]:
        len(batch.labels)  # type: ignore[arg-type]
        return super().step(batch)


class NeverUpdates(Sound):
    """Its optimiser is never called."""

    def step(self, batch: Batch) -> dict[str, Tensor]:
        loss = (self.sample(len(batch.images)) - batch.images).square().mean()
        loss.backward()
        return {"loss": loss}


class WithoutStep(Model):
    """What should be `step` is called otherwise."""

    name = "without-step"

    def train_step(self, batch: Batch) -> dict[str, Tensor]:
        return {"loss": batch.images.mean()}

    def sample(self, n: int, labels: Tensor | None = None) -> Tensor:
        return torch.rand(n, *self.data.shape) * 2 - 1


class IgnoresLabels(Sound):
    conditional = True


class LearnsWithoutLabels(Sound):
    conditional = True

    def sample(self, n: int, labels: Tensor | None = None) -> Tensor:
        assert labels is not None
        return (super().sample(n) + labels.view(n, *(1 for _ in self.data.shape)) / 10).clamp(-1, 1)


class HiddenInAList(Sound):
    def __init__(self, data: DataSpec, config: Any) -> None:
        super().__init__(data, config)
        self.critics = [nn.Linear(3, 1)]


class HiddenInAnOptimiser(Sound):
    def __init__(self, data: DataSpec, config: Any) -> None:
        super().__init__(data, config)
        self.other = torch.optim.SGD([torch.zeros(3, requires_grad=True)], 0.1)


class ReturnsANumpyArray(Sound):
    def sample(self, n: int, labels: Tensor | None = None) -> Tensor:
        return super().sample(n).numpy()  # type: ignore[return-value]


class EndsInASigmoid(Sound):
    def step(self, batch: Batch) -> dict[str, Tensor]:
        return super().step(Batch((batch.images + 1) / 2, batch.labels))

    def sample(self, n: int, labels: Tensor | None = None) -> Tensor:
        return super().sample(n).sigmoid()


class Scheduled(Sound):
    """Makes its scheduler when the first step asks for it."""

    scheduler: Any = None

    def step(self, batch: Batch) -> dict[str, Tensor]:
        if self.scheduler is None:
            self.scheduler = torch.optim.lr_scheduler.StepLR(self.optimizer, 1)
        losses = super().step(batch)
        self.scheduler.step()
        return losses


class Clustering(Sound):
    """Fits scikit-learn's estimator, which `__init__` knows nothing of."""

    def finish(self, data: Batch) -> None:
        from sklearn.cluster import KMeans

        self.clusters = KMeans(2, n_init=1, random_state=0).fit(data.images.flatten(1).numpy())


class Growing(Sound):
    """A tree of scikit-learn's, made in `__init__`: what it learns is no attribute that a checkpoint holds."""

    def __init__(self, data: DataSpec, config: Any) -> None:
        super().__init__(data, config)
        from sklearn.tree import DecisionTreeRegressor

        self.tree = DecisionTreeRegressor(max_depth=2)

    def finish(self, data: Batch) -> None:
        rows = data.images.flatten(1).numpy()
        self.tree.fit(rows[:, :1], rows[:, 1])


class NoiseOnTheCPU(Sound):
    def sample(self, n: int, labels: Tensor | None = None) -> Tensor:
        return self.net(torch.randn(n, 3)).view(n, *self.data.shape)


class MaskOnTheCPU(Sound):
    def step(self, batch: Batch) -> dict[str, Tensor]:
        mask = torch.ones(batch.images.shape, device="cpu")
        return super().step(Batch(batch.images * mask, batch.labels))
