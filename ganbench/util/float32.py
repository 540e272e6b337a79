"""Float32 as IEEE 754 has it: without TF32, in which newer GPUs round factors to 10 bits unless told otherwise."""

from __future__ import annotations

import torch


def use_ieee_float32() -> None:
    """Turn TF32 off in this process: for convolutions, where torch has it on, and for matrix products."""
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cuda.matmul.allow_tf32 = False
