"""When a time budget's clock is read, off the CPU: every reading makes the host wait for the device."""

from __future__ import annotations

OVERSHOOT = 0.01
"""The share of a time budget that may pass between two readings, and so the most that training goes beyond it."""


class BudgetClock:
    """Tells after which steps to read the seconds spent, by how long steps have taken since the last reading.

    A step counts from when it is handed to the device, which may still be at an earlier one. So the host's own clock
    is heeded too: a host that has itself needed longer than foreseen has a device that is no sooner done.
    """

    def __init__(self, limit: float | None) -> None:
        self._limit = limit
        self._steps = self._next = 0
        self._spent = self._host = 0.0

    def due(self, steps: int, host: float) -> bool:
        """Tell whether to read after so many `steps`, at `host` seconds of the host's clock; never without a limit."""
        if self._limit is None:
            return False
        return steps >= self._next or host - self._host > OVERSHOOT * self._limit

    def read(self, steps: int, host: float, spent: float) -> None:
        """Note a reading: so many seconds were `spent` once so many `steps` were done."""
        if self._limit is None:
            return
        made = steps - self._steps
        ahead = min(OVERSHOOT * self._limit, max(0.0, self._limit - spent))
        seconds = spent - self._spent
        # At most twice as many steps as last time: the first ones, which compile kernels, say little.
        allowed = int(ahead * made / seconds) if seconds > 0 else 2 * made
        self._next = steps + max(1, min(allowed, 2 * max(made, 1)))
        self._steps, self._spent, self._host = steps, spent, host
