"""Whether a model keeps to the device that it is on: seen without a GPU, on torch's device of shapes alone."""

from __future__ import annotations

import torch

from ganbench.model import Batch, DataSpec
from ganbench.testing.case import BATCH, SAMPLES, Case
from ganbench.training.hyperparameters import make_config

META = torch.device("meta")
MIXED = ("is not on the expected device", "Expected all tensors to be on the same device")
"""How torch says that an operation was given tensors of two devices."""


class MixedDevicesError(Exception):
    """A call of the model mixed tensors of two devices; the message says which call, and the cause says where."""


def run_elsewhere(case: Case) -> None:
    """Build, train and sample on a device that is not the CPU and computes nothing but shapes, as far as that goes.

    Raises `MixedDevicesError` where an operation is given tensors of two devices. What a model asks of values (their
    size, whether they are finite) has no answer there: what follows is then not looked at.
    """
    images = torch.empty(BATCH, *case.data.shape, device=META)
    labels = torch.zeros(BATCH, dtype=torch.int64, device=META) if case.data.classes else None
    data = DataSpec(case.data.shape, case.data.classes, case.data.name, case.data.n)
    call = "__init__"
    try:
        with META:
            model = case.kind(data, make_config(case.kind, case.settings))
        model.to(META)
        if case.trains:
            call = "step"
            model.train()
            model.step(Batch(images, labels))
        call = "sample"
        model.eval()
        with torch.no_grad():
            asked = None if labels is None else labels[:SAMPLES]
            made = model.sample(SAMPLES, asked) if model.conditional else model.sample(SAMPLES)
    except Exception as error:
        if any(sign in str(error) for sign in MIXED):
            raise MixedDevicesError(call) from error
        return
    if isinstance(made, torch.Tensor) and made.device != META and any(True for _ in model.parameters()):
        raise MixedDevicesError(call)
