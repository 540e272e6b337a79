"""TF32 is off where ganbench computes, in workers for good and elsewhere for as long as it takes."""

from __future__ import annotations

import subprocess
import sys

import torch
from torch import Tensor

from ganbench.extractors.base import Features
from ganbench.scoring.features import extract


def test_workers_compute_in_ieee_float32() -> None:
    code = (
        "import torch; from ganbench.training.worker import settle; from ganbench.store.run_spec import RuntimeConfig\n"
        "settle(RuntimeConfig(device='cpu', threads=1))\n"
        "assert not torch.backends.cudnn.allow_tf32 and not torch.backends.cuda.matmul.allow_tf32"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_features_are_extracted_without_tf32_and_the_setting_is_put_back() -> None:
    seen = []

    def extractor(images: Tensor) -> Features:
        seen.append(torch.backends.cudnn.allow_tf32)
        return Features(images.flatten(1).float(), None)

    before = torch.backends.cudnn.allow_tf32
    extract(extractor, torch.zeros(3, 1, 2, 2, dtype=torch.uint8))  # type: ignore[arg-type]
    assert seen == [False]
    assert torch.backends.cudnn.allow_tf32 == before
