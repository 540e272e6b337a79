"""SLURM's commands: arrays submitted, the queue looked at, jobs asked what became of them."""

from __future__ import annotations

import math
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ganbench.errors import RequestError
from ganbench.util.resources import Resources
from ganbench.util.text import one_line

LEAD = 90
"""Seconds before the time limit at which a job is told; less where the limit is short."""
ANSWER = 60.0
"""Seconds that a command of SLURM may take."""
ALIVE = (
    "PENDING",
    "CONFIGURING",
    "RUNNING",
    "COMPLETING",
    "SUSPENDED",
    "STOPPED",
    "REQUEUED",
    "REQUEUE_HOLD",
    "RESIZING",
)
"""States of jobs that have not ended."""
_LIMIT = re.compile(r"(?:(?P<days>\d+)-)?(?P<rest>\d+(?::\d+){0,2})")


@dataclass(frozen=True)
class Place:
    """Where a job is in the queue: its state, and why it waits."""

    state: str
    reason: str


def submit(
    folder: Path, count: int, at_a_time: int | None, needs: Resources, options: Mapping[str, str], *,
    paths: Sequence[str] = (), after: str = "",
) -> str:  # fmt: skip
    """Submit an array for the orders 0 to `count` - 1 of a folder; return the job's number.

    Jobs look for modules in `paths` first. `after` is an array that must end before. Raises `RequestError` with what
    sbatch says where it refuses.
    """
    words = [
        "--parsable", "--job-name=ganbench", f"--array=0-{count - 1}{f'%{at_a_time}' if at_a_time else ''}",
        "--requeue", "--open-mode=append", f"--output={folder}/%a.out", "--ntasks=1", "--nodes=1",
        f"--cpus-per-task={math.ceil(needs.cpus or 1)}", f"--signal=B:TERM@{lead(options.get('time'))}",
    ]  # fmt: skip
    words += [f"--gres=gpu:{needs.gpus:.0f}"] if needs.gpus else []
    words += [f"--mem={math.ceil(needs.memory / 2**20)}M"] if needs.memory else []
    words += [f"--{name}={options[name]}" for name in ("partition", "time") if name in options]
    words += [f"--dependency=afterany:{after}"] if after else []
    command = shlex.join([sys.executable, "-P", "-m", "ganbench.engines.slurm_job", str(folder)])
    done = _run(["sbatch", *words, *shlex.split(options.get("sbatch", ""))], f"#!/bin/sh\nexec {command}\n", paths)
    if done.returncode:
        raise RequestError(f"--engine slurm: sbatch: {_said(done, 'sbatch')}")
    return done.stdout.strip().partition(";")[0]


def queue() -> dict[str, Place]:
    """Return the user's jobs that wait or run, by number, such as ``12_3`` in array 12.

    Raises `RequestError` where SLURM does not answer.
    """
    done = _run(["squeue", "-h", "-r", "--me", "-o", "%i|%T|%r"])
    if done.returncode:
        raise RequestError(f"--engine slurm: squeue: {_said(done, 'squeue')}")
    found = {}
    for line in done.stdout.splitlines():
        number, state, reason = (line.strip().split("|") + ["", ""])[:3]
        found[number] = Place(state, reason)
    return found


def state_of(job: str) -> str:
    """Return how a job ended, such as CANCELLED; empty where SLURM has forgotten it."""
    done = _run(["scontrol", "show", "job", job, "--oneliner"])
    match = re.search(r"\bJobState=(\w+)", done.stdout)
    return match[1] if match else ""


def largest_array() -> int:
    """Return how many tasks an array may have."""
    match = re.search(r"^MaxArraySize\s*=\s*(\d+)", _run(["scontrol", "show", "config"]).stdout, re.MULTILINE)
    return int(match[1]) if match else 1000


def lead(limit: str | None) -> int:
    """Return how many seconds before a time limit a job is told: `LEAD`, and a quarter of a short limit at the most.

    `limit` is written as sbatch takes it: minutes, M:S, H:M:S, D-H, D-H:M or D-H:M:S. Raises `RequestError`.
    """
    if limit is None or limit.lower() in ("infinite", "unlimited"):
        return LEAD
    match = _LIMIT.fullmatch(limit.strip())
    if match is None:
        raise RequestError(f"--time {limit!r}: write minutes, or hours such as 02:00:00, or days such as 1-12:00:00")
    parts = [int(part) for part in match["rest"].split(":")]
    if match["days"] is not None:
        hours, minutes, seconds = (parts + [0, 0])[:3]
    else:
        hours, minutes, seconds = {1: [0, *parts, 0], 2: [0, *parts], 3: parts}[len(parts)]
    total = ((int(match["days"] or 0) * 24 + hours) * 60 + minutes) * 60 + seconds
    return max(1, min(LEAD, total // 4))


def _run(words: list[str], script: str = "", paths: Sequence[str] = ()) -> subprocess.CompletedProcess[str]:
    environment = os.environ | ({"PYTHONPATH": os.pathsep.join(paths)} if paths else {})
    try:
        return subprocess.run(words, input=script, capture_output=True, text=True, timeout=ANSWER, env=environment)
    except subprocess.TimeoutExpired as error:  # sbatch tries a full queue again and again, and says so
        said = error.stderr.decode(errors="replace") if isinstance(error.stderr, bytes) else error.stderr or ""
        return subprocess.CompletedProcess(words, 1, "", f"{said}\nno answer for {ANSWER:.0f} s")


def _said(done: subprocess.CompletedProcess[str], program: str) -> str:
    """Return in one line what a program said on standard error, each thing once."""
    lines = [line.removeprefix(f"{program}: ").removeprefix("error: ").strip() for line in done.stderr.splitlines()]
    return one_line("; ".join(dict.fromkeys(filter(None, lines))) or f"status {done.returncode}", 300)
