"""What workers of these tests do: the entries of their tasks."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ganbench.store.locks import locked
from ganbench.util.exit_codes import BUSY, STOPPED

Emit = Callable[..., None]


def answer(payload: dict[str, Any], emit: Emit, began: float) -> int:
    """Say some things, and end with the status that was asked for."""
    emit(phase="training", share=0.25, images=640, seconds=2.0, losses={"d": 1.0}, more=payload.get("more"))
    print(f"threads {os.environ['OMP_NUM_THREADS']}, {os.environ.get('CUBLAS_WORKSPACE_CONFIG')}")
    print(f"torch is here: {'torch' in sys.modules}; json was here: {'mailbox' in sys.modules}")
    emit(phase="done", share=1.0)
    return int(payload.get("status", 0))


def lies(payload: dict[str, Any], emit: Emit, began: float) -> int:
    """Say what only the fork server may."""
    emit(phase="training", pid=1, ended=0, name="another")
    time.sleep(0.2)
    return 3


def raises(payload: dict[str, Any], emit: Emit, began: float) -> int:
    raise ValueError("a fault of the task's own")


def kills_itself(payload: dict[str, Any], emit: Emit, began: float) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return 0


def sleeps(payload: dict[str, Any], emit: Emit, began: float) -> int:
    """Say no more; end on SIGTERM where `polite`."""
    polite = bool(payload.get("polite"))
    signal.signal(signal.SIGTERM, (lambda *_: os._exit(9)) if polite else signal.SIG_IGN)
    emit(phase="training", share=0.5, images=1, seconds=1.0)
    Path(payload["pid"]).write_text(str(os.getpid()))
    time.sleep(60)
    return 0


def limited(payload: dict[str, Any], emit: Emit, began: float) -> int:
    """Enter a phase that may take a tenth of a second, and stay in it while showing progress."""
    emit(phase="curve", limit_seconds=0.1)
    for _ in range(600):
        emit(phase="curve")
        time.sleep(0.1)
    return 0


def takes_lock(payload: dict[str, Any], emit: Emit, began: float) -> int:
    with locked(Path(payload["folder"])) as mine:
        return 0 if mine else BUSY


def tells_its_place(payload: dict[str, Any], emit: Emit, began: float) -> int:
    """Say which place it has, and wait until all who share the folder have said so."""
    place = os.environ["PLACE"]
    folder = Path(payload["folder"])
    (folder / f"{os.getpid()}.at").touch()
    deadline = time.monotonic() + 30
    while len(list(folder.glob("*.at"))) < payload["together"] and time.monotonic() < deadline:
        time.sleep(0.01)
    emit(phase="done", place=place)
    return 0


def counts(payload: dict[str, Any], emit: Emit, began: float) -> int:
    """Count up to `until` in a file of its folder, going on from there; `starts` has a line for each start.

    Where it `lingers`, it takes half a second to end when it is asked, and leaves a file `in_order` then.
    """
    folder, asked = Path(payload["folder"]), list[int]()
    if payload.get("lingers"):
        signal.signal(signal.SIGTERM, lambda number, frame: asked.append(number))
    with locked(folder) as mine:
        if not mine:
            return BUSY
        with open(folder / "starts", "a") as starts:
            starts.write(f"{os.getpid()} {Path(payload['data']).read_text()}\n")
        place = folder / "count.pt"
        at = int(place.read_text()) if place.exists() else 0
        emit(phase="training", share=at / payload["until"], worker=os.getpid(), began=at)
        while at < payload["until"]:
            if asked:
                time.sleep(0.5)
                (folder / "in_order").touch()
                return STOPPED
            at += 1
            part = folder / ".part"
            part.write_text(str(at))
            part.replace(place)
            emit(phase="training", share=at / payload["until"])
            time.sleep(0.05)
        (folder / "run.json").write_text(f"counted to {at}")
        place.unlink(missing_ok=True)
    return 0
