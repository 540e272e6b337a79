"""Locks of folders die with their process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from ganbench.store.locks import Lock, check_lockable, in_work, locked

HOLD = """
import os, sys, time
from pathlib import Path
from ganbench.store.locks import Lock
assert Lock(Path(sys.argv[1])).acquire()
if os.fork() == 0:
    time.sleep(60)
print("held", flush=True)
time.sleep(60)
"""


def test_a_lock_is_free_as_soon_as_its_process_is_gone_even_if_a_child_lives_on(tmp_path: Path) -> None:
    assert not in_work(tmp_path)
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, start_new_session=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        assert in_work(tmp_path)
        assert not Lock(tmp_path).acquire()
        holder.kill()
        holder.wait()
        assert not in_work(tmp_path)
        with locked(tmp_path) as mine:
            assert mine
        os.killpg(holder.pid, signal.SIGKILL)


def test_whether_a_file_system_locks_is_found_out_without_litter(tmp_path: Path) -> None:
    check_lockable(tmp_path)
    assert not list(tmp_path.iterdir())
