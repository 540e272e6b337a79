"""In a SLURM job: one task of an array.

    python -P -m ganbench.engines.slurm_job FOLDER

FOLDER has the task's order, ``N.json``, where N is its number in the array; its news are appended to ``N.news``, one
JSON object a line (`ganbench.engines.node`). SIGTERM asks the worker to end, which lets a training write a checkpoint.
A preemption sends it to all processes of a job: a worker that ends by it has not failed.
Where the time limit is the reason, the job then has itself queued again. SLURM does that by itself after a preemption;
a job that was cancelled does not come back.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from ganbench.engines.node import perform
from ganbench.util.exit_codes import STOPPED

MOST_RESTARTS = 200
"""A run that was queued again so often gets nowhere under its time limit."""

TOLD_WITHIN = 2.0
"""Seconds within which SLURM tells all processes of a job to end."""
TRIES = 5
"""How often SLURM is asked whether the job is running, where it gives no answer."""


def main() -> None:
    """Do the task."""
    asked: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, frame: asked.append(number))
    folder, number = Path(sys.argv[1]), os.environ["SLURM_ARRAY_TASK_ID"]
    order = json.loads((folder / f"{number}.json").read_bytes())
    last: dict[str, Any] = {}
    with open(folder / f"{number}.news", "ab", buffering=0) as out:
        out.write(b"\n")  # a node that went down may have left half a line
        for news in perform(order, lambda: bool(asked)):
            if _was_asked_to_end(news.get("ended"), asked):
                break
            if news:
                last = news
                out.write(json.dumps(news).encode() + b"\n")
    restarts = int(os.environ.get("SLURM_RESTART_COUNT", "0"))
    if asked and not last.keys() & {"ended", "busy", "refused"} and restarts < MOST_RESTARTS:
        _queue_again(f"{os.environ['SLURM_ARRAY_JOB_ID']}_{number}")


def _was_asked_to_end(end: dict[str, Any] | None, asked: list[int]) -> bool:
    """Tell whether a worker ended because SLURM told all processes of the job to, this one among them.

    That is no end of the task. The worker may have ended before this process was told.
    """
    if end is None or end["code"] not in (STOPPED, -signal.SIGTERM):
        return False
    deadline = time.monotonic() + TOLD_WITHIN
    while not asked and time.monotonic() < deadline:
        time.sleep(0.1)
    return bool(asked)


def _queue_again(job: str) -> None:
    """Queue this job again if it was warned of its time limit: SLURM still counts it as running then."""
    for _ in range(TRIES):
        done = subprocess.run(["squeue", "-h", "-r", "-j", job, "-o", "%T"], capture_output=True, text=True)
        if done.returncode == 0:
            break
        time.sleep(1)
    state = done.stdout.strip()
    print(f"asked to end while {state or done.stderr.strip() or 'not in the queue'}", flush=True)
    if state == "RUNNING":
        subprocess.run(["scontrol", "requeue", job], check=True)


if __name__ == "__main__":
    main()
