"""A process that has imported what workers need: fork servers are forked from it, for the whole run of tests.

    python -m tests.zygote SOCKET MODULE ...

A fork server imports torch for four seconds, and the tests use some sixty. `tests/engines`, and commands that a shell
starts (`Command(before=...)`), have fork servers of their own, as users do.
"""

from __future__ import annotations

import importlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from ganbench.engines import forkserver
from ganbench.engines.forkserver import ForkServer

if __name__ != "__main__":
    from ganbench.experiment.session import PRELOAD  # which the workers have not imported

MARK = "GANBENCH_TEST_MARK"
"""An environment variable: the name that a fork server takes (of at most 15 characters), and its workers with it."""
_start = forkserver.start
_used: list[Zygote] = []


class Forked:
    """A fork server, with what an engine uses of `subprocess.Popen`."""

    def __init__(self, where: Path, alive: int, environment: dict[str, str]) -> None:
        orders, stdin = os.pipe()
        stdout, answers = os.pipe()
        self.stdin = os.fdopen(stdin, "wb", buffering=0)
        self.stdout = os.fdopen(stdout, "rb", buffering=0)
        with socket.socket(socket.AF_UNIX) as connection, tempfile.NamedTemporaryFile("w") as file:
            json.dump({"environment": environment, "folder": str(Path.cwd())}, file)
            file.flush()
            connection.connect(str(where))
            socket.send_fds(connection, [file.name.encode()], [orders, answers, 2, alive])
            self._process = os.pidfd_open(int(connection.recv(100)))
        os.close(orders)
        os.close(answers)

    def wait(self, timeout: float | None = None) -> int:
        poll = select.poll()
        poll.register(self._process, select.POLLIN)
        if not poll.poll(None if timeout is None else timeout * 1000):
            raise subprocess.TimeoutExpired("fork server", timeout or 0)
        return 0


class Zygote:
    """Starts the process with the first fork server; use as a context manager, which ends it."""

    def __init__(self, where: Path) -> None:
        self.where = where
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Zygote:
        return self

    def ready(self) -> Path:
        """Start the process, unless it runs, and return the socket that it listens to."""
        if not self.where.exists():
            one = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
            words = [sys.executable, "-m", __name__, str(self.where), *PRELOAD]
            root = Path(__file__).parents[1]
            self._process = subprocess.Popen(words, stdin=subprocess.PIPE, env=os.environ | one, cwd=root)
            while not self.where.exists():
                assert self._process.poll() is None
                time.sleep(0.02)
        return self.where

    def __exit__(self, *error: object) -> None:
        if self._process is not None:
            assert self._process.stdin is not None
            self._process.stdin.close()
            self._process.wait()


def use(zygote: Zygote) -> None:
    """Let engines of this process take their fork servers from there."""
    _used.append(zygote)

    def start(alive: int, environment: dict[str, str], *, spawn: bool, preload: tuple[str, ...]) -> Any:
        other = spawn or preload != PRELOAD or environment["OMP_NUM_THREADS"] != "1"
        if other or not hasattr(os, "pidfd_open"):  # the latter on Linux alone
            return _start(alive, environment, spawn=spawn, preload=preload)
        return Forked(zygote.ready(), alive, environment)

    forkserver.start = start


def in_use() -> Zygote:
    """Return the one that engines of this process use."""
    return _used[-1]


def _become(order: dict[str, Any], descriptors: list[int]) -> None:
    """Be a fork server."""
    os.setsid()
    for number, descriptor in enumerate(descriptors[:3]):
        os.dup2(descriptor, number)
        os.close(descriptor)
    environment = order["environment"]
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(order["folder"])
    sys.path[:] = environment["PYTHONPATH"].split(os.pathsep)
    importlib.invalidate_caches()
    if mark := environment.get(MARK):
        Path("/proc/self/comm").write_text(mark[:15])
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    ForkServer(descriptors[3], spawn=False).run()


def main() -> None:
    where = sys.argv[1]
    for module in ("ganbench.engines.worker_process", *sys.argv[2:]):
        importlib.import_module(module)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(f"{where}.new")
    listener.listen()
    Path(f"{where}.new").rename(where)
    while True:
        ready, _, _ = select.select([sys.stdin.fileno(), listener.fileno()], [], [])
        if listener.fileno() not in ready:  # the tests are over
            return
        connection, _ = listener.accept()
        path, descriptors, *_ = socket.recv_fds(connection, 4096, 4)
        order = json.loads(Path(path.decode()).read_bytes())
        pid = os.fork()
        if pid == 0:
            try:
                listener.close()
                connection.close()
                _become(order, descriptors)
            finally:
                os._exit(0)
        connection.sendall(str(pid).encode())
        connection.close()
        for descriptor in descriptors:
            os.close(descriptor)


if __name__ == "__main__":
    main()
