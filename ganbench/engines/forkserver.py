"""Starts workers: a process that has imported what every trial needs, and forks for each.

    python -m ganbench.engines.forkserver ALIVE [--spawn]

Importing torch takes seconds, which is too long for a trial of half a minute to spend on being a process of its own.
Each worker is forked from here before anything has run, in a process group of its own. With
``--spawn`` each is a new Python instead: CUDA cannot be used in a fork on every machine, nor Apple's libraries.

Commands come in on standard input, one JSON object a line: ``{"start": KEY, "job": ...}``, ``{"signal": KEY,
"number": N}``. Out go ``{"key": KEY, "pid": N}``, each worker's own events, and ``{"key": KEY, "ended": STATUS}``.
When a worker ends, whatever is left of its group is killed; when standard input closes, all are.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import Any

from ganbench.store.run_spec import Job


@dataclass
class _Child:
    key: str
    pid: int
    pipe: int
    rest: bytes = b""
    """The beginning of a line whose end has not come yet."""


@dataclass
class ForkServer:
    """The loop that starts workers, hands on what they say, and tells how they ended."""

    alive: int
    spawn: bool
    _children: dict[str, _Child] = field(default_factory=dict)
    _commands: bytes = b""

    def run(self) -> None:
        """Serve until standard input closes."""
        self._wake, wake = os.pipe()
        os.set_blocking(wake, False)
        os.set_blocking(self._wake, False)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        self._selector = selectors.DefaultSelector()
        self._selector.register(0, selectors.EVENT_READ, None)
        self._selector.register(self._wake, selectors.EVENT_READ, None)
        while True:
            for ready, _ in self._selector.select():
                if ready.fd == 0:
                    if not self._take():
                        self._end_all()
                        return
                elif ready.fd == self._wake:
                    with contextlib.suppress(BlockingIOError):
                        os.read(self._wake, 4096)
                    self._reap()
                else:
                    child: _Child = ready.data
                    if self._children.get(child.key) is child:  # not one that has just ended
                        self._hand_on(child)

    def _take(self) -> bool:
        """Read commands and obey; False at the end of input."""
        read = os.read(0, 2**16)
        *lines, self._commands = (self._commands + read).split(b"\n")
        for line in lines:
            command = json.loads(line)
            if "start" in command:
                self._start(command["start"], Job.model_validate(command["job"]))
            elif child := self._children.get(command["signal"]):
                _signal(child.pid, command["number"])
        return bool(read)

    def _start(self, key: str, job: Job) -> None:
        out, into = os.pipe()
        sys.stdout.flush()
        began = time.perf_counter()
        pid = os.fork()
        if pid == 0:
            try:
                os.close(out)
                self._become(job, into, began)
            finally:
                os._exit(1)
        with contextlib.suppress(OSError):  # both sides do it: whoever is first, a signal finds the group
            os.setpgid(pid, pid)
        os.close(into)
        os.set_blocking(out, False)
        child = self._children[key] = _Child(key, pid, out)
        self._selector.register(out, selectors.EVENT_READ, child)
        _say(key=key, pid=pid)

    def _become(self, job: Job, into: int, began: float) -> None:
        """Be the worker; never returns."""
        os.setpgid(0, 0)
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self._selector.close()
        for child in self._children.values():
            os.close(child.pipe)
        if self.spawn:
            reader, writer = os.pipe()
            os.write(writer, job.model_dump_json().encode())  # a few kB: a pipe holds 64
            os.close(writer)
            os.dup2(reader, 0)
            os.dup2(into, 1)
            os.set_inheritable(self.alive, True)
            os.execv(sys.executable, [sys.executable, "-P", "-m", "ganbench.training.worker", str(self.alive)])
        from ganbench.training.worker import work

        os.dup2(os.open(os.devnull, os.O_RDWR), 0)
        status = work(job, into, self.alive, began)
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)

    def _hand_on(self, child: _Child) -> None:
        """Pass a worker's whole lines on; what is no JSON object of its is left out."""
        with contextlib.suppress(BlockingIOError):
            while read := os.read(child.pipe, 2**16):
                *lines, child.rest = (child.rest + read).split(b"\n")
                for line in lines:
                    with contextlib.suppress(ValueError, TypeError):
                        _say(**{**json.loads(line), "key": child.key})
            with contextlib.suppress(KeyError):  # closed at the other end
                self._selector.unregister(child.pipe)

    def _reap(self) -> None:
        for child in list(self._children.values()):
            ended, status = os.waitpid(child.pid, os.WNOHANG)
            if not ended:
                continue
            _signal(child.pid, signal.SIGKILL)  # what it left behind: a group keeps its number while it has members
            self._hand_on(child)
            with contextlib.suppress(KeyError):
                self._selector.unregister(child.pipe)
            os.close(child.pipe)
            del self._children[child.key]
            _say(key=child.key, ended=os.waitstatus_to_exitcode(status))

    def _end_all(self) -> None:
        for child in self._children.values():
            _signal(child.pid, signal.SIGKILL)


def _signal(group: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def _say(**event: Any) -> None:
    data = json.dumps(event).encode() + b"\n"
    while data:
        data = data[os.write(1, data) :]


def command(alive: int, *, spawn: bool) -> list[str]:
    """Return the command line that starts a starter."""
    return [sys.executable, "-P", "-m", "ganbench.engines.forkserver", str(alive), *(["--spawn"] if spawn else [])]


def start(alive: int, environment: dict[str, str], *, spawn: bool) -> subprocess.Popen[bytes]:
    """Start one; `alive` is the reading end of a pipe whose writing end the caller alone holds."""
    return subprocess.Popen(
        command(alive, spawn=spawn), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        env=environment, pass_fds=(alive,), start_new_session=True, bufsize=0,
    )  # fmt: skip


if __name__ == "__main__":
    spawning = "--spawn" in sys.argv
    if not spawning:
        import ganbench.training.worker  # noqa: F401
    ForkServer(int(sys.argv[1]), spawning).run()
