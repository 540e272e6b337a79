"""How a worker ended, told from its process: one word and one line."""

from __future__ import annotations

import signal

import pytest

from ganbench.engines.exit_status import of_exit, out_of_memory_kills
from ganbench.util.exit_codes import STOPPED


@pytest.mark.parametrize(
    ("code", "log", "out_of_memory", "status", "said"),
    [
        (7, "first\nthe last words\n\n", False, "failed", "status 7 and no record: the last words"),
        (0, "", False, "failed", "no output"),
        (-signal.SIGSEGV, "x", False, "failed", "crashed with SIGSEGV"),
        (-signal.SIGKILL, "x", False, "killed", "ended by SIGKILL, which ganbench did not send"),
        (-signal.SIGKILL, "x", True, "oom", "kernel"),
        (-signal.SIGTERM, "x", True, "killed", "SIGTERM"),
        (STOPPED, "x", False, "killed", "SIGTERM"),
        (-signal.SIGABRT, "terminate called after throwing an instance of 'std::bad_alloc'", False, "oom", "bad_alloc"),
    ],
)
def test_an_exit_has_a_kind_and_a_line(code: int, log: str, out_of_memory: bool, status: str, said: str) -> None:
    found, reason = of_exit(code, log, out_of_memory=out_of_memory)
    assert found == status
    assert said in reason
    assert "\n" not in reason


def test_the_kernels_count_is_a_number() -> None:
    assert out_of_memory_kills() >= 0
