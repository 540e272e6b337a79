"""Models with faults, a plugin file for the tests beside it; digits of 8x8 are all they know."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time

import torch

import ganbench


class Healthy(ganbench.Model):
    name = "healthy"

    def __init__(self, data, config):
        super().__init__(data, config)
        self.level = torch.nn.Parameter(torch.zeros(()))
        self.steps = 0

    def step(self, batch):
        self.steps += 1
        return {"loss": batch.images.mean() - self.level.detach()}

    def sample(self, n, labels=None):
        return torch.rand(n, *self.data.shape) * 2 - 1


class Tall(Healthy):
    name = "tall"


class Wide(Healthy):
    name = "wide"


class RaisesInInit(Healthy):
    name = "raises-in-init"

    def __init__(self, data, config):
        raise ValueError("no such layer")


class RaisesInStep(Healthy):
    name = "raises-in-step"

    def step(self, batch):
        return 1 / 0


class RaisesInSample(Healthy):
    name = "raises-in-sample"

    def sample(self, n, labels=None):
        return {}["nothing"]


class RaisesInFinish(Healthy):
    name = "raises-in-finish"

    def finish(self, data):
        raise RuntimeError("singular")


class LeavesByExit(Healthy):
    name = "leaves-by-exit"

    def step(self, batch):
        sys.exit(3)


class Leaves(Healthy):
    name = "leaves"

    def step(self, batch):
        print("the last words", flush=True)
        os._exit(7)


class Segfaults(Healthy):
    name = "segfaults"

    def step(self, batch):
        ctypes.string_at(0)


class KillsItself(Healthy):
    name = "kills-itself"

    def step(self, batch):
        os.kill(os.getpid(), signal.SIGKILL)


class HangsInInit(Healthy):
    name = "hangs-in-init"

    def __init__(self, data, config):
        super().__init__(data, config)
        while True:
            time.sleep(1)  # and takes no core from the tests beside it


class HangsInStep(Healthy):
    name = "hangs-in-step"

    def step(self, batch):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        while True:
            time.sleep(1)


class HangsInSample(Healthy):
    name = "hangs-in-sample"

    def sample(self, n, labels=None):
        while True:
            time.sleep(1)


class HangsInCounting(Healthy):
    """Hangs in the first step beyond the budget of 5, where FLOPs are counted."""

    name = "hangs-in-counting"

    def step(self, batch):
        while self.steps == 5:
            time.sleep(1)
        return super().step(batch)


class LosesItsLoss(Healthy):
    name = "loses-its-loss"

    def step(self, batch):
        return {"critic": torch.tensor(float("nan"))}


class LosesItsSamples(Healthy):
    name = "loses-its-samples"

    def sample(self, n, labels=None):
        return torch.full((n, *self.data.shape), float("nan"))


class WrongShape(Healthy):
    name = "wrong-shape"

    def sample(self, n, labels=None):
        return torch.zeros(n, 1, 8, 7)


class Bright(Healthy):
    name = "bright"

    def sample(self, n, labels=None):
        return torch.full((n, 1, 8, 8), 1.5)


class Grows(Healthy):
    name = "grows"

    def step(self, batch):
        kept = []
        while True:
            kept.append(torch.ones(2**25))


class Forks(Healthy):
    name = "forks"

    def step(self, batch):
        if self.steps == 0:
            child = os.fork()
            if child == 0:
                time.sleep(1000)
                os._exit(0)
            other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1000)"])
            print("children", child, other.pid, flush=True)
        return super().step(batch)


class Prints(Healthy):
    name = "prints"

    def step(self, batch):
        for _ in range(100 if self.steps == 0 else 0):
            print("x" * 10**6)
        print("step", self.steps, flush=True)
        return super().step(batch)


class LeavesAThread(Healthy):
    name = "leaves-a-thread"

    def step(self, batch):
        threading.Thread(target=time.sleep, args=(1000,)).start()
        return super().step(batch)


class Iterates(Healthy):
    name = "iterates"

    def __init__(self, data, config):
        super().__init__(data, config)
        self.numbers = iter(range(10**6))

    def step(self, batch):
        next(self.numbers)
        return super().step(batch)


class Eats(Healthy):
    """Takes memory without a limit of ganbench's: the kernel's own is to stop it."""

    name = "eats"

    def step(self, batch):
        self.eaten = [*getattr(self, "eaten", []), torch.ones(2**24)]
        return super().step(batch)


class TrainsInSample(Healthy):
    name = "trains-in-sample"

    def sample(self, n, labels=None):
        with torch.no_grad():
            self.level += 1
        return super().sample(n, labels)


class SetsTheDtype(Healthy):
    name = "sets-the-dtype"

    def __init__(self, data, config):
        super().__init__(data, config)
        torch.set_default_dtype(torch.float64)


class SetsThreads(Healthy):
    name = "sets-threads"

    def step(self, batch):
        torch.set_num_threads(2)
        return super().step(batch)


class ChangesFolder(Healthy):
    name = "changes-folder"

    def step(self, batch):
        os.chdir("/")
        return super().step(batch)


class ClosesStdout(Healthy):
    name = "closes-stdout"

    def step(self, batch):
        sys.stdout.close()
        return super().step(batch)


class IgnoresSignals(Healthy):
    name = "ignores-signals"

    def sample(self, n, labels=None):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        return super().sample(n, labels)


class SeedsTorch(Healthy):
    name = "seeds-torch"

    def step(self, batch):
        torch.manual_seed(0)
        return super().step(batch)


class ReturnsUnits(Healthy):
    """Has learnt all when it is built: of one that makes steps this is told after a hundred."""

    name = "returns-units"
    step = ganbench.Model.step

    def sample(self, n, labels=None):
        return torch.rand(n, *self.data.shape)


class PatchesTheClock(Healthy):
    name = "patches-the-clock"

    def __init__(self, data, config):
        super().__init__(data, config)
        clock = time.perf_counter
        time.perf_counter = lambda: clock() / 100


class PatchesTheScorer(Healthy):
    """Patches all that it can reach of the side that scores."""

    name = "patches-the-scorer"

    def __init__(self, data, config):
        super().__init__(data, config)
        import ganbench.metrics
        import ganbench.metrics.fid
        import ganbench.scoring.evaluator
        import ganbench.scoring.worker

        ganbench.metrics.fid.FrechetReference.distance = lambda self, features: 0.1
        ganbench.metrics.frechet_distance = lambda *features: 0.1
        ganbench.scoring.evaluator.Evaluator.score = lambda self, *words, **more: None
        ganbench.scoring.worker.RunScorer.score = lambda self, key: None


class CallsItselfCeiling(Healthy):
    name = "calls-itself-ceiling"

    def __init__(self, data, config):
        super().__init__(data, config)
        self.role = "ceiling"
        type(self).role = "ceiling"

    def finish(self, data):
        print("given", len(data.images), "images", flush=True)
