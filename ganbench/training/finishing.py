"""What follows a model's last step, and whether that is more training.

A budget of images or steps does not count `finish`, though it is given all images at once: it is meant for what needs
them together and learns little, such as a density of codes. A budget of time counts it, but cannot cut it short.
"""

from __future__ import annotations

import torch

from ganbench.model import Batch, Model
from ganbench.training.gradient_watch import GradientWatch
from ganbench.training.phase_timer import PhaseTimer

SHARE, SECONDS = 0.5, 60.0
"""The part of training that `finish` may be, or the seconds that it may take, without a word: after a few steps a
mixture over codes takes longer than these did."""
OVERRUN, OVERRUN_SECONDS = 1.25, 1.0
"""How much longer than its time budget a run may last with `finish`, without a word: a quarter, and a second."""


def finish(model: Model, data: Batch, timer: PhaseTimer, limit: float | None) -> list[str]:
    """Call `model.finish` within the timer's phase ``train``, and return what a reader must know of it.

    `limit` are the seconds of a time budget, None where there is none.
    """
    steps = type(model).step is not Model.step
    began, weights, watch = timer.seconds("train"), _sums(model), GradientWatch()
    with watch.on():
        model.finish(data)
    trained, flags = timer.seconds("train"), []
    took = trained - began
    if watch.seen:
        flags.append("it computed gradients in `finish`: it may have trained there, beyond its budget")
    elif steps and _sums(model) != weights:
        flags.append("its weights changed in `finish`: it may have trained there, beyond its budget")
    if steps and took > max(SECONDS, SHARE * trained):
        flags.append(f"`finish` took {took:.3g} of its {trained:.3g} s of training")
    if limit is not None and trained > OVERRUN * limit + OVERRUN_SECONDS:
        flags.append(f"with `finish` it trained for {trained:.3g} s, where its budget is {limit:.3g} s")
    return flags


def _sums(model: Model) -> list[float]:
    """Return the sum of each parameter, and of its squares: what differs where one was changed."""
    sums = [part for value in model.parameters() for part in (value.detach().double().sum(), value.detach().norm())]
    return torch.stack([each.double() for each in sums]).tolist() if sums else []
