"""Exit statuses of worker processes that mean something to the engine that started them."""

from __future__ import annotations

BUSY = 75
"""The task's lock is held by another process: it is tried again later."""
STOPPED = 128 + 15
"""The worker was asked to end, by SIGTERM, and its task can go on another time."""
