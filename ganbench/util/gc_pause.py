"""A pause of the garbage collector while many objects are made that all live on.

The collector looks through everything alive again and again while a large store is read, and finds nothing: over half
of the time of reading 10,000 runs went there (``benchmarks/store_scale.py``).
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def gc_paused() -> Iterator[None]:
    """Switch the collector of reference cycles off meanwhile; leave it off where it was."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
