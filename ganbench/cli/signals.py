"""Ctrl-C, and the other signals that ask a command to end: workers are ended in order, and nothing is lost."""

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
    """Turn the first signal that asks for an end into `Ended`, and ignore those after it: workers are being ended."""
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
