"""Which number format training uses: bfloat16 autocast where the hardware has it, float32 elsewhere."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch

CHOICES = ("auto", "fp32", "bf16")


def resolve_precision(choice: str, device: torch.device) -> str:
    """Return ``fp32`` or ``bf16``; ``auto`` takes bfloat16 where the device multiplies it natively."""
    if choice != "auto":
        return choice
    if device.type == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp32"
    # Emulated bfloat16 is slower than float32, so AVX-512 alone does not count.
    # The names are torch's private ones: a release without them trains in float32.
    units = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return "bf16" if any(getattr(torch.cpu, unit, bool)() for unit in units) else "fp32"


def autocast(device: torch.device, precision: str) -> AbstractContextManager[None]:
    """Return the context in which a step runs (it can be entered again and again).

    Casts of weights are not cached: a step updates weights between two forward passes, and the second must see the
    new ones.
    """
    if precision == "fp32":
        return nullcontext()
    return torch.autocast(device.type, torch.bfloat16, cache_enabled=False)
