"""A process that has imported what workers need: fork servers are forked from it, for the whole run of tests.

A fork server imports torch for four seconds, and the tests use some sixty. The first process of pytest-xdist that
needs one starts it, all use it, and it ends with the last of them. Commands under test (`tests/faults`) are forked from
a second one, `COMMANDS`, which is forked from the first and has imported what commands import too. `tests/engines`,
and commands that a shell starts (`Command(before=...)`), have fork servers of their own, as users do.
"""

from __future__ import annotations

import contextlib
import fcntl
import importlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from ganbench.engines import forkserver
from ganbench.engines.forkserver import ForkServer
from ganbench.engines.network import leave_network
from ganbench.experiment.preload import PRELOAD

COMMANDS = (
    "ganbench.experiment.session", "ganbench.cli.run", "ganbench.api", "ganbench.boards.write", "matplotlib.figure",
    "tests.faults.commands",
)  # fmt: skip
MARK = "GANBENCH_TEST_MARK"
"""An environment variable: the name that a fork server takes (of at most 15 characters), and its workers with it."""
ROOT = Path(__file__).parents[1]
_start = forkserver.start
_used: list[Zygote] = []


class Forked:
    """A process that was forked from a zygote, with what is used of `subprocess.Popen`.

    `order` says what it becomes, `descriptors` are those that it is given, and closed here.
    """

    def __init__(self, where: Path, order: dict[str, Any], descriptors: list[int]) -> None:
        with socket.socket(socket.AF_UNIX) as connection, tempfile.NamedTemporaryFile("w") as file:
            json.dump(order, file)
            file.flush()
            connection.connect(str(where))
            socket.send_fds(connection, [file.name.encode()], descriptors)
            self._answers = os.dup(connection.fileno())
            self.pid = int(self._line())
        self.returncode: int | None = None
        self._turn = threading.Lock()

    def _line(self) -> str:
        line = b""
        while not line.endswith(b"\n"):
            read = os.read(self._answers, 1)
            if not read:
                raise ConnectionError("the zygote has ended")
            line += read
        return line.decode()

    def wait(self, timeout: float | None = None) -> int:
        """Two threads of an engine wait at once."""
        while self.returncode is None:
            if not select.select([self._answers], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired("a forked process", timeout or 0)
            with self._turn:
                if self.returncode is None:
                    self.returncode = int(self._line())
        return self.returncode

    def __del__(self) -> None:
        with contextlib.suppress(AttributeError):
            os.close(self._answers)

    def poll(self) -> int | None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self.wait(0)
        return None

    def send_signal(self, number: int) -> None:
        os.kill(self.pid, number)


class ForkedServer(Forked):
    """A fork server, with what an engine uses of `subprocess.Popen`."""

    def __init__(self, where: Path, alive: int, environment: dict[str, str], network: bool = True) -> None:
        orders, stdin = os.pipe()
        stdout, answers = os.pipe()
        self.stdin = os.fdopen(stdin, "wb", buffering=0)
        self.stdout = os.fdopen(stdout, "rb", buffering=0)
        order = {
            "environment": environment,
            "folder": str(Path.cwd()),
            "do": "tests.zygote:serve_forks",
            "with": [network],
        }
        super().__init__(where, order, [orders, answers, 2, alive])
        os.close(orders)
        os.close(answers)


@dataclass
class Zygote:
    """Where zygotes of one run of tests listen; use as a context manager, which lets go of them.

    They are started when they are first asked for, by whoever asks first, and end when nobody holds them any more.
    """

    folder: Path
    _held: dict[str, socket.socket] = field(default_factory=dict)

    def __enter__(self) -> Zygote:
        return self

    def ready(self, name: str = "workers") -> Path:
        """Return the socket of the first zygote, or of the second (``commands``)."""
        where = self.folder / name
        if name not in self._held:
            if name != "workers":
                self.ready()
            with open(self.folder / f"{name}.lock", "w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                if name not in self._held:  # another thread's turn came before
                    self._held[name] = _holding(where) or self._started(name, where)
        return where

    def _started(self, name: str, where: Path) -> socket.socket:
        where.unlink(missing_ok=True)
        if name == "workers":
            one = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
            words = [
                sys.executable,
                "-c",
                "import sys; from tests.zygote import serve; serve(*sys.argv[1:])",
                str(where),
                "ganbench.engines.worker_process",
                *PRELOAD,
            ]
            subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, env=os.environ | one, cwd=ROOT
            ).returncode = 0  # it ends by itself, perhaps after this process
        else:
            order = {
                "environment": dict(os.environ), "folder": str(ROOT), "do": "tests.zygote:serve",
                "with": [str(where), *COMMANDS],
            }  # fmt: skip
            Forked(self.ready(), order, [0, 1, 2])
        deadline = time.monotonic() + 120
        while not (held := _holding(where)):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        return held

    def __exit__(self, *error: object) -> None:
        for each in self._held.values():
            each.close()
        self._held.clear()


def _holding(where: Path) -> socket.socket | None:
    """Return a connection that keeps a zygote alive, None where there is no zygote."""
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.connect(str(where))
        connection.sendall(b"hold")
        if connection.recv(4) == b"held":
            return connection
    except OSError:
        pass
    connection.close()
    return None


def use(zygote: Zygote) -> None:
    """Let engines of this process take their fork servers from there."""
    _used.append(zygote)

    def start(
        alive: int, environment: dict[str, str], *, spawn: bool, preload: tuple[str, ...], network: bool = True
    ) -> Any:
        other = spawn or preload != PRELOAD or environment["OMP_NUM_THREADS"] != "1"
        if other or not hasattr(os, "pidfd_open"):  # the latter on Linux alone
            return _start(alive, environment, spawn=spawn, preload=preload, network=network)
        return ForkedServer(zygote.ready(), alive, environment, network)

    forkserver.start = start


def in_use() -> Zygote:
    """Return the one that engines of this process use."""
    return _used[-1]


# What zygotes do.


def serve_forks(network: bool, descriptors: list[int]) -> None:
    """Be a fork server."""
    if not network:  # a forked process has a single thread, whatever its parent had
        leave_network()
    sys.path[:] = os.environ["PYTHONPATH"].split(os.pathsep)
    importlib.invalidate_caches()
    if mark := os.environ.get(MARK):
        Path("/proc/self/comm").write_text(mark[:15])
    ForkServer(descriptors[3], spawn=False).run()


def serve(where: str, *modules: str) -> None:
    """Import, then fork for each connection that orders it and tell it the process's number and how it ended.

    Ends when all connections that hold it are closed.
    """
    sys.path[:] = [str(ROOT), *filter(None, sys.path)]
    for module in modules:
        importlib.import_module(module)
    wake, woken = os.pipe()
    os.set_blocking(wake, False)
    os.set_blocking(woken, False)
    signal.set_wakeup_fd(woken, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda number, frame: None)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(f"{where}.new")
    listener.listen()
    Path(f"{where}.new").rename(where)
    holding: list[socket.socket] = []
    waiting: dict[int, socket.socket] = {}
    while True:
        ready = select.select([wake, listener, *holding], [], [])[0]
        if wake in ready:
            os.read(wake, 4096)
            _tell_ends(waiting)
        for each in [each for each in holding if each in ready]:
            each.close()
            holding.remove(each)
            if not holding:  # the tests are over
                Path(where).unlink(missing_ok=True)
                return
        if listener in ready:
            connection, _ = listener.accept()
            path, descriptors, *_ = socket.recv_fds(connection, 4096, 4)
            if path == b"hold":
                holding.append(connection)
                connection.sendall(b"held")
            elif path:
                order = json.loads(Path(path.decode()).read_bytes())
                pid = os.fork()
                if pid == 0:
                    _become(order, descriptors, [listener, connection, *holding, *waiting.values()])
                waiting[pid] = connection
                connection.sendall(f"{pid}\n".encode())
            for descriptor in descriptors:
                os.close(descriptor)


def _tell_ends(waiting: dict[int, socket.socket]) -> None:
    with contextlib.suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            with waiting.pop(ended[0]) as connection, contextlib.suppress(OSError):
                connection.sendall(f"{os.waitstatus_to_exitcode(ended[1])}\n".encode())


def _become(order: dict[str, Any], descriptors: list[int], others: list[socket.socket]) -> NoReturn:
    """Be what is ordered, in a session of its own, and end with its exit status.

    A log is shown from its last twenty lines on, and each frame here is one of a crash: they are few.
    """
    status = 1
    try:
        for each in others:
            each.close()
        os.setsid()
        for number, descriptor in enumerate(descriptors[:3]):
            os.dup2(descriptor, number)
            os.close(descriptor)
        os.environ.clear()
        os.environ.update(order["environment"])
        os.chdir(order["folder"])
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        module, _, name = order["do"].partition(":")
        getattr(importlib.import_module(module), name)(*order["with"], *([descriptors] if descriptors[3:] else []))
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        for stream in (sys.stdout, sys.stderr):
            with contextlib.suppress(OSError, ValueError):
                stream.flush()
        os._exit(status)
