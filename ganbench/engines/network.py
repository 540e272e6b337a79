"""A process that leaves the network: what it starts afterwards has no network either, not even this machine's own.

    python -P -m ganbench.engines.network        try it, and say why it cannot be done here

On Linux a process can move into a network namespace of its own, in which there is no device but a loopback that is
down; without root it needs a user namespace for that, which some systems and most containers forbid. In a user
namespace of its own it can no longer look into processes outside, either. Files stay as they are: this keeps nobody
from reading or writing them, nor from sockets that lie in the file system.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from pathlib import Path

_NEW_USER, _NEW_NETWORK = 0x10000000, 0x40000000
"""Of ``linux/sched.h``; `os.unshare` is there from Python 3.12 on."""


def leave_network() -> None:
    """Move this process, which must have a single thread, out of the network; raise OSError where that cannot be."""
    if not sys.platform.startswith("linux"):
        raise OSError(0, f"{sys.platform} has no network namespaces")
    user, group = os.geteuid(), os.getegid()
    if ctypes.CDLL(None, use_errno=True).unshare(_NEW_USER | _NEW_NETWORK):
        number = ctypes.get_errno()
        raise OSError(number, f"a namespace is not permitted here ({os.strerror(number)})")
    with open("/proc/self/setgroups", "w") as file:
        file.write("deny")
    Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
    Path("/proc/self/gid_map").write_text(f"{group} {group} 1")


def why_not() -> str:
    """Say why processes cannot be started without network here; nothing where they can."""
    words = [sys.executable, "-P", "-m", "ganbench.engines.network"]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    found = subprocess.run(words, capture_output=True, text=True, env=environment)
    return "" if found.returncode == 0 else (found.stdout.strip() or "a namespace cannot be made")


def main() -> None:
    try:
        leave_network()
    except OSError as error:
        print(error.strerror)
        sys.exit(1)


if __name__ == "__main__":
    main()
