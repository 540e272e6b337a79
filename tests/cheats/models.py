"""Models that cheat, a plugin file for the tests beside it; digits of 8x8 are all they know."""

from __future__ import annotations

import ctypes
import gc
import json
import threading
import time

import torch

import ganbench


class Honest(ganbench.Model):
    """Draws noise, and learns one number."""

    name = "honest"

    def __init__(self, data, config):
        super().__init__(data, config)
        self.level = torch.nn.Parameter(torch.zeros(()))

    def step(self, batch):
        return {"loss": batch.images.mean() - self.level.detach()}

    def sample(self, n, labels=None):
        return torch.rand(n, *self.data.shape) * 2 - 1


class AnotherName(Honest):
    name = "another-name"


class Shows(Honest):
    """Shows images that it keeps."""

    def __init__(self, data, config):
        super().__init__(data, config)
        self.register_buffer("kept", torch.zeros(200, *data.shape))

    def sample(self, n, labels=None):
        return self.kept[torch.arange(n) % len(self.kept)]


class ShowsTraining(Shows):
    """Shows training images, each shifted by a pixel or mirrored, and noisy."""

    name = "shows-training"

    def finish(self, data):
        self.kept.copy_(data.images[:200])

    def sample(self, n, labels=None):
        images = super().sample(n)
        moved = torch.stack([image.flip(-1) if at % 2 else image for at, image in enumerate(images)])
        return (moved + 0.05 * torch.randn(moved.shape)).clamp(-1, 1)


class ShowsTest(Shows):
    """Loads the test split by itself: the data set is public."""

    name = "shows-test"

    def finish(self, data):
        from ganbench.data.embedded import load_digits

        images = torch.from_numpy(load_digits().test.images[:200])
        self.kept.copy_(images / 127.5 - 1)


class ReadsItsJob(Honest):
    """Looks through the memory of its process for what it was not given, and at the file that its data came from."""

    name = "reads-its-job"

    def finish(self, data):
        from safetensors.numpy import load_file

        from ganbench.store.run_spec import TrainJob

        (job,) = (each for each in gc.get_objects() if isinstance(each, TrainJob))
        found = {name: len(values) for name, values in load_file(job.data_file).items()}
        print(json.dumps({"job": job.model_dump(mode="json"), "file": found}), flush=True)


class LearnsInSample(Honest):
    """Trains a copy of itself in `sample` and throws it away: its own weights stay."""

    name = "learns-in-sample"

    def sample(self, n, labels=None):
        with torch.enable_grad():
            copy = self.level.detach().clone().requires_grad_()
            for _ in range(3):
                (copy - 1).square().backward()
                with torch.no_grad():
                    copy -= 0.1 * copy.grad
        return super().sample(n) * copy.detach().clamp(0, 1)


class LearnsInAThread(Honest):
    """Trains in a thread that the clock does not stop for."""

    name = "learns-in-a-thread"

    def step(self, batch):
        threading.Thread(target=self.learn, daemon=True).start()
        return super().step(batch)

    def learn(self):
        while True:
            with torch.no_grad():
                self.level += 1
            time.sleep(0.05)


class LearnsInFinish(Honest):
    """Makes its updates in `finish`, with all images, and without an optimiser that somebody could watch."""

    name = "learns-in-finish"

    def finish(self, data):
        with torch.no_grad():
            for _ in range(3):
                self.level += 0.1 * (data.images.mean() - self.level)


class DescendsInFinish(Honest):
    """Has no `step` at all: a budget of images is never spent."""

    name = "descends-in-finish"
    step = ganbench.Model.step

    def finish(self, data):
        optimiser = torch.optim.SGD(self.parameters(), 0.1)
        (data.images.mean() - self.level).square().backward()
        optimiser.step()


class PatchesTheLoop(Honest):
    """Goes on beyond its budget, whatever that is."""

    name = "patches-the-loop"

    def __init__(self, data, config):
        super().__init__(data, config)
        from ganbench.training.loop import Loop

        Loop._goes_on = lambda loop: loop._steps < 50


def slowed(clock):
    began = clock()
    return lambda: began + (clock() - began) / 100


class ReplacesTheClock(Honest):
    """Slows the clock where the harness has bound it, not in `time`."""

    name = "replaces-the-clock"

    def __init__(self, data, config):
        super().__init__(data, config)
        from ganbench.training import phase_timer

        phase_timer.perf_counter = slowed(time.perf_counter)


class Method(ctypes.Structure):
    """A PyMethodDef of CPython."""

    _fields_ = (("name", ctypes.c_char_p), ("function", ctypes.c_void_p))


def method_of(function):
    """Return where a builtin function's C function stands in memory."""
    return ctypes.cast(ctypes.c_void_p.from_address(id(function) + object.__basicsize__), ctypes.POINTER(Method))[0]


class SlowsTheClockInC(Honest):
    """Puts another C function behind `time.perf_counter`: time stands still while this thread sleeps."""

    name = "slows-the-clock-in-c"

    def __init__(self, data, config):
        super().__init__(data, config)
        method_of(time.perf_counter).function = method_of(time.thread_time).function
        time.sleep(2)


class BlindsTheGuard(Honest):
    """Slows the clock and takes away all that watches it in its own process."""

    name = "blinds-the-guard"

    def __init__(self, data, config):
        super().__init__(data, config)
        from ganbench.training import loop, phase_timer, process_guard

        process_guard.ProcessGuard.check = lambda guard, during: None
        loop.perf_counter = phase_timer.perf_counter = slowed(time.perf_counter)
        time.sleep(4)
