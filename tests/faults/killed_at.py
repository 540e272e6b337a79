"""``ganbench`` that is killed at a point of its way, which its first argument names.

POINT is ``prepared`` (nothing was started), ``board`` (all is done but the board), ``train-ended``, ``scored``, or a
kind of task and the phase that its worker enters: ``train:building``, ``train:sampling:0.5`` (at that share of the
budget), ``score:loading``.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from typing import Any

POINTS = (
    "prepared", "train:starting", "train:loading", "train:building", "train:training", "train:sampling:0.25",
    "train:sampling:0.5", "train:sampling:1.0", "train-ended", "score:starting", "score:scoring", "board",
)  # fmt: skip


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def names(happened: Any) -> set[str]:
    """Return the points that a piece of news is."""
    kind = "score" if happened.task.name.startswith("score-") else "train"
    if hasattr(happened, "code"):
        return {f"{kind}-ended"}
    phase = f"{kind}:{happened.phase}"
    return {phase, f"{phase}:{round(happened.share * 4) / 4}"}


def main() -> None:
    point = sys.argv.pop(1)
    from ganbench.boards import write
    from ganbench.cli import main as command
    from ganbench.engines.local import LocalEngine

    events, write_board = LocalEngine.events, write.write_board

    def watched(engine: LocalEngine) -> Iterator[Any]:
        if point == "prepared":
            die()
        for happened in events(engine):
            if point in names(happened):
                die()
            yield happened

    def written(*words: Any) -> Any:
        if point == "board":
            die()
        return write_board(*words)

    LocalEngine.events, write.write_board = watched, written  # type: ignore[method-assign]
    command.main()
