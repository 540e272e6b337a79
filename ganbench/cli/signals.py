"""Ctrl-C and the other signals that ask a command to end: workers are stopped in order, and their work is kept."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Ended(BaseException):
    """The command was asked to end, by a signal of this number."""

    def __init__(self, number: int) -> None:
        self.number = number


@contextmanager
def orderly_end() -> Iterator[None]:
    """Raise `Ended` at the first signal that asks for an end, and ignore later ones while workers are being stopped."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def end(number: int, frame: Any) -> None:
        for each in numbers:
            signal.signal(each, signal.SIG_IGN)
        raise Ended(number)

    before = {number: signal.signal(number, end) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
