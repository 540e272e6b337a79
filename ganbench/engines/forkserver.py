"""Starts workers: a process that has imported what every task needs, and forks for each.

    python -P -m ganbench.engines.forkserver ALIVE [--spawn] [--no-network] [MODULE ...]

Importing torch takes seconds, which is too long for a task of half a minute to spend on being a process of its own.
Each worker is forked from here before anything has run, in a process group of its own. With ``--spawn`` each is a new
Python instead: Apple's libraries cannot be used in a fork. CUDA can, as long as nothing here has asked for its devices;
where a module that was imported has, workers are new Pythons, too. With ``--no-network`` it leaves the network before
it does anything else, and all workers are without one; where that cannot be, it ends.

Commands come in on standard input, one JSON object a line: ``{"start": NAME, "file": ORDER}``, ``{"signal": NAME,
"number": N}``. Out go ``{"name": NAME, "pid": N}``, each worker's own events, and ``{"name": NAME, "ended": STATUS}``.
When a worker ends, whatever is left of its group is killed; when standard input closes, all are.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import selectors
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

OURS = ("name", "pid", "ended")
"""Fields that only the server may set: they are dropped from what workers send."""


@dataclass
class _Child:
    name: str
    pid: int
    pipe: int
    rest: bytes = b""
    """The beginning of a line whose end has not come yet."""


@dataclass
class ForkServer:
    """The loop that starts workers, passes on what they say, and tells how they ended."""

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
                    if not self._obey():
                        self._kill_all()
                        return
                elif ready.fd == self._wake:
                    with contextlib.suppress(BlockingIOError):
                        os.read(self._wake, 4096)
                    self._reap()
                else:
                    child: _Child = ready.data
                    if self._children.get(child.name) is child:  # not one that has just ended
                        self._pass_on(child)

    def _obey(self) -> bool:
        """Read commands and obey; False at the end of input."""
        read = os.read(0, 2**16)
        *lines, self._commands = (self._commands + read).split(b"\n")
        for line in lines:
            command = json.loads(line)
            if "start" in command:
                self._start(command["start"], Path(command["file"]))
            elif child := self._children.get(command["signal"]):
                _signal(child.pid, command["number"])
        return bool(read)

    def _start(self, name: str, order: Path) -> None:
        out, into = os.pipe()
        sys.stdout.flush()
        began = time.perf_counter()
        pid = os.fork()
        if pid == 0:
            try:
                os.close(out)
                self._become(order, into, began)
            finally:
                os._exit(1)
        with contextlib.suppress(OSError):  # both sides do it: whoever is first, a signal finds the group
            os.setpgid(pid, pid)
        os.close(into)
        os.set_blocking(out, False)
        child = self._children[name] = _Child(name, pid, out)
        self._selector.register(out, selectors.EVENT_READ, child)
        _say(name=name, pid=pid)

    def _become(self, order: Path, into: int, began: float) -> None:
        """Be the worker; never returns."""
        os.setpgid(0, 0)
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        self._selector.close()
        for child in self._children.values():
            os.close(child.pipe)
        if self.spawn:
            os.dup2(into, 1)
            os.set_inheritable(self.alive, True)
            module = "ganbench.engines.worker_process"
            os.execv(sys.executable, [sys.executable, "-P", "-m", module, str(self.alive), str(order)])
        from ganbench.engines.worker_process import leave, perform

        content = json.loads(order.read_bytes())
        order.unlink()
        leave(perform(content, into, self.alive, began))

    def _pass_on(self, child: _Child) -> None:
        """Pass on a worker's whole lines that are JSON objects, without the fields that only the server may set."""
        with contextlib.suppress(BlockingIOError):
            while read := os.read(child.pipe, 2**16):
                *lines, child.rest = (child.rest + read).split(b"\n")
                for line in lines:
                    with contextlib.suppress(ValueError, TypeError, AttributeError):
                        said = {key: value for key, value in json.loads(line).items() if key not in OURS}
                        _say(**said, name=child.name)
            with contextlib.suppress(KeyError):  # closed at the other end
                self._selector.unregister(child.pipe)

    def _reap(self) -> None:
        for child in list(self._children.values()):
            if not has_ended(child.pid):
                continue
            # Its group is killed while the dead worker still holds the number: afterwards it may be another's.
            _signal(child.pid, signal.SIGKILL)
            _, status = os.waitpid(child.pid, 0)
            self._pass_on(child)
            with contextlib.suppress(KeyError):
                self._selector.unregister(child.pipe)
            os.close(child.pipe)
            del self._children[child.name]
            _say(name=child.name, ended=os.waitstatus_to_exitcode(status))

    def _kill_all(self) -> None:
        for child in self._children.values():
            _signal(child.pid, signal.SIGKILL)


def has_ended(pid: int) -> bool:
    """Tell whether a child has ended, without reaping it: its number stays its own."""
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def cuda_outlives_a_fork() -> bool:
    """Tell whether a fork of this process can use CUDA, by asking one: torch refuses where it was used before."""
    torch = sys.modules.get("torch")
    if torch is None or torch.version.cuda is None:
        return True
    pid = os.fork()
    if pid == 0:
        os._exit(int(torch.cuda._is_in_bad_fork()))
    return os.waitpid(pid, 0)[1] == 0


def _signal(group: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def _say(**event: Any) -> None:
    data = json.dumps(event).encode() + b"\n"
    while data:
        data = data[os.write(1, data) :]


def start(
    alive: int, environment: dict[str, str], *, spawn: bool, preload: tuple[str, ...], network: bool = True
) -> subprocess.Popen[bytes]:
    """Start one; `alive` is the reading end of a pipe whose writing end the caller alone holds."""
    words = [sys.executable, "-P", "-m", "ganbench.engines.forkserver", str(alive)]
    options = [*(["--spawn"] if spawn else []), *([] if network else ["--no-network"])]
    return subprocess.Popen(
        [*words, *options, *preload], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        env=environment, pass_fds=(alive,), start_new_session=True, bufsize=0,
    )  # fmt: skip


def main() -> None:
    """Import what workers need, unless each is a Python of its own, and serve."""
    # When SLURM preempts a job it sends SIGTERM to all of its processes. Workers then write checkpoints, for which they
    # need their server; it ends when standard input closes.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    options = [word for word in sys.argv[2:] if word.startswith("--")]
    if "--no-network" in options:
        from ganbench.engines.network import leave_network

        leave_network()
    spawn = "--spawn" in options
    if not spawn:
        import ganbench.engines.worker_process  # noqa: F401

        for module in sys.argv[2 + len(options) :]:
            importlib.import_module(module)
        spawn = not cuda_outlives_a_fork()
    ForkServer(int(sys.argv[1]), spawn).run()


if __name__ == "__main__":
    main()
