"""Global state of the process, put back behind an author's code: one broken rule must not break what comes after."""

from __future__ import annotations

import contextlib
import io
import os
import random
import signal
import sys
import threading
from collections.abc import Iterator
from typing import TextIO

import numpy as np
import torch

SIGNALS = (signal.SIGTERM, signal.SIGINT)


class StandIn(io.TextIOBase):
    """Passes on what is written to a stream, and may be closed without harm to that."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        return self._stream.write(text)

    def flush(self) -> None:
        if not self.closed:
            self._stream.flush()

    def fileno(self) -> int:
        return self._stream.fileno()


@contextlib.contextmanager
def restored() -> Iterator[None]:
    """Put back what code within changes: settings and generators of torch, numpy, random; folder, signals, streams."""
    dtype, threads, grad = torch.get_default_dtype(), torch.get_num_threads(), torch.is_grad_enabled()
    exact, matmul = torch.are_deterministic_algorithms_enabled(), torch.get_float32_matmul_precision()
    device = torch.get_default_device()
    torch_state, numpy_state, python_state = torch.get_rng_state(), np.random.get_state(), random.getstate()
    folder, streams = os.open(".", os.O_RDONLY), (sys.stdout, sys.stderr)
    sys.stdout, sys.stderr = map(StandIn, streams)
    copies = [_duplicate(handle) for handle in (1, 2)]
    handlers = {number: signal.getsignal(number) for number in SIGNALS}
    try:
        yield
    finally:
        for handle, copy in zip((1, 2), copies, strict=True):
            if copy is not None:
                os.dup2(copy, handle)
                os.close(copy)
        sys.stdout, sys.stderr = streams
        os.fchdir(folder)
        os.close(folder)
        if threading.current_thread() is threading.main_thread():
            for number, handler in handlers.items():
                signal.signal(number, handler)
        torch.set_default_dtype(dtype)
        torch.set_grad_enabled(grad)
        torch.use_deterministic_algorithms(exact)
        if torch.get_num_threads() != threads:
            torch.set_num_threads(threads)
        if torch.get_float32_matmul_precision() != matmul:
            torch.set_float32_matmul_precision(matmul)
        if torch.get_default_device() != device:
            torch.set_default_device(device)
        torch.set_rng_state(torch_state)
        np.random.set_state(numpy_state)
        random.setstate(python_state)


def _duplicate(handle: int) -> int | None:
    try:
        return os.dup(handle)
    except OSError:  # closed before
        return None
