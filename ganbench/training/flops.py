"""Floating-point operations of training, counted by torch's own counter on real steps.

`torch.utils.flop_counter` (https://docs.pytorch.org/docs/stable/torch.utils.flop_counter.html) counts, from the shapes
that operators are given, forward and backward: matrix products, convolutions and attention, a multiply-add as 2. It
does not count elementwise work, normalisation, reductions, optimisers, products of a matrix with a vector, nor what
runs outside torch, such as SciPy or scikit-learn. The same model has the same count on every device.
"""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr, redirect_stdout
from typing import TYPE_CHECKING, Any

import torch
from torch.utils.module_tracker import ModuleTracker

from ganbench.util.text import error_line

if TYPE_CHECKING:
    from ganbench.training.loop import Loop

STEPS = 20
"""The most steps that are counted: enough for a pattern that repeats every ten steps to show."""
ALIKE = 6
"""If this many steps cost the same, counting stops. A WGAN's pattern has five steps (arXiv:1701.07875)."""
Shape = Sequence[int]


def training_flops(
    make_loop: Callable[[], Loop], steps: int, *, tick: Callable[[], None], check: Callable[[], None]
) -> float | None:
    """Return the FLOPs of the `steps` that a run has made; None where they cannot be told, and the log says why.

    The run must be over and on disk. `make_loop` returns a loop over its model as training left it, `tick` is called
    after each step that is counted, and `check` at the end, which raises where the process has been tampered with.
    """
    try:
        loop = make_loop()
        # What a model prints of steps that are not part of its training would be misread.
        with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere), redirect_stderr(nowhere):
            each = flops_per_step(loop, steps, tick)
        check()
    except BaseException as error:  # even `sys.exit`: nothing can happen any more to a run that is over
        with contextlib.suppress(OSError, ValueError):
            print(f"ganbench: its FLOPs could not be counted: {error_line(error)}", flush=True)
        return None
    return None if each is None else each * steps


def flops_per_step(loop: Loop, steps: int, tick: Callable[[], None] = lambda: None) -> float | None:
    """Return the mean FLOPs of a step, over 6 further steps if all cost the same, else over 20, at most `steps`.

    Steps may differ: a critic may be updated several times for each update of the generator. If the costs repeat with a
    period of at most half the steps counted, the mean is taken over one period, else over all. None if the counter
    counts nothing. The model is trained further, beyond its budget: call this only on a model that is no longer needed.
    Raises what the model's `step` raises.
    """
    # Imported here: without Triton it warns, which belongs into the run's log.
    from torch.utils.flop_counter import FlopCounterMode

    counts = list[int]()
    counter = FlopCounterMode(display=False, custom_mapping=_fused())
    counter.mod_tracker = _Whole()
    with counter:
        for _ in loop.further(min(steps, STEPS)):
            counts.append(counter.get_total_flops() - sum(counts))
            tick()
            if len(counts) == ALIKE and len(set(counts)) == 1:
                break
    return mean_of_period(counts) or None


class _Whole(ModuleTracker):
    """A module tracker that sets no hooks: torch's make `torch.autograd.grad` raise, as gradient penalties call it, and
    slow every step down. Only the total is needed here."""

    def __enter__(self) -> _Whole:
        return self

    def __exit__(self, *error: object) -> None:
        pass


def mean_of_period(counts: Sequence[int]) -> float:
    """Return the mean over one period, if `counts` hold two or more of them, else over all; 0 if there are none."""
    for length in range(1, len(counts) // 2 + 1):
        if all(one == other for one, other in zip(counts, counts[length:], strict=False)):
            counts = counts[:length]
            break
    return sum(counts) / len(counts) if counts else 0.0


def _fused() -> dict[Any, Callable[..., int]]:
    """Return formulas for kernels that torch's counter has none for: they would count as nothing.

    These are LSTMs on a CPU (oneDNN), recurrent layers on a GPU (cuDNN), and attention on a CPU.
    """
    from torch.utils.flop_counter import sdpa_backward_flop_count, sdpa_flop_count

    def onednn(inputs: Shape, *rest: Any, **_: Any) -> int:
        return _recurrent(inputs, rest[:4])

    def cudnn(inputs: Shape, weights: Sequence[Shape], *_: Any, **__: Any) -> int:
        return _recurrent(inputs, weights)

    def attention(query: Shape, key: Shape, value: Shape, *_: Any, **__: Any) -> int:
        return int(sdpa_flop_count(query, key, value))

    def attention_backward(gradient: Shape, query: Shape, key: Shape, value: Shape, *_: Any, **__: Any) -> int:
        return int(sdpa_backward_flop_count(gradient, query, key, value))

    def twice(forward: Callable[..., int]) -> Callable[..., int]:
        return lambda *arguments, **named: 2 * forward(*arguments, **named)

    aten = torch.ops.aten
    return {
        aten.mkldnn_rnn_layer: onednn,
        aten.mkldnn_rnn_layer_backward: twice(onednn),
        aten._cudnn_rnn: cudnn,
        aten._cudnn_rnn_backward: twice(cudnn),
        aten._scaled_dot_product_flash_attention_for_cpu: attention,
        aten._scaled_dot_product_flash_attention_for_cpu_backward: attention_backward,
    }


def _recurrent(inputs: Shape, weights: Sequence[Shape]) -> int:
    """Return the FLOPs of recurrent layers, forward: each row of each sequence is multiplied by each weight matrix.

    `inputs` is (T, B, features), or (rows, features) packed; biases are the weights of one dimension. Backward is twice
    as much: a product for the gradients of the rows, and one for those of the weights.
    """
    return 2 * math.prod(inputs[:-1]) * sum(weight[0] * weight[1] for weight in weights if len(weight) == 2)
