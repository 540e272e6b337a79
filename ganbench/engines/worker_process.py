"""What every worker process does around its task: streams, the life line, events.

    python -P -m ganbench.engines.worker_process ALIVE FILE      a task in a Python of its own

Whatever the task prints goes to its log; events go to the engine through a pipe that is nobody's standard output.
"""

from __future__ import annotations

import faulthandler
import importlib
import json
import os
import signal
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import Any

from ganbench.errors import EngineGone

_BEGAN = time.perf_counter()


def perform(order: dict[str, Any], events: int, alive: int, began: float) -> int:
    """Perform a task (``entry``, ``payload``, ``log``, ``environment``) in this process; return its exit status.

    `events` is the writing end of a pipe to the engine; `alive` the reading end of one that nobody writes to and that
    closes when the engine is gone, which ends this process and its children, whatever they are at.
    """
    _redirect(Path(order["log"]))
    os.environ.update(order["environment"])  # before anything looks for devices
    faulthandler.enable()
    threading.Thread(target=_end_with, args=(alive,), name="life line", daemon=True).start()

    def emit(**event: Any) -> None:
        data = json.dumps(event).encode() + b"\n"
        try:
            while data:
                data = data[os.write(events, data) :]
        except BrokenPipeError:
            raise EngineGone from None

    try:
        module, _, function = order["entry"].partition(":")
        return int(getattr(importlib.import_module(module), function)(order["payload"], emit, began))
    except EngineGone:
        return 1
    except BaseException:  # a plugin may even call sys.exit
        traceback.print_exc(file=sys.__stderr__)
        return 1


def leave(status: int) -> None:
    """End this process at once, whatever threads a plugin has left behind."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (ValueError, OSError, AttributeError):  # closed, on a full disk, or replaced by anything
            continue
    os._exit(status)


def _redirect(log: Path) -> None:
    log.parent.mkdir(parents=True, exist_ok=True)
    with open(log, "ab", buffering=0) as stream:
        os.dup2(stream.fileno(), 1)
        os.dup2(stream.fileno(), 2)
    with open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), 0)


def _end_with(alive: int) -> None:
    os.read(alive, 1)
    os.killpg(0, signal.SIGKILL)


def main() -> None:
    """Perform the task in a file, which is removed once it is read; events go to what was standard output."""
    path = Path(sys.argv[2])
    order = json.loads(path.read_bytes())
    path.unlink()
    events = os.dup(1)
    os.set_inheritable(events, False)
    leave(perform(order, events, int(sys.argv[1]), _BEGAN))


if __name__ == "__main__":
    main()
