"""Where submitted code runs: in worker processes without network, and with few variables of the environment.

That is no jail. A worker runs as the user who verifies, and may read and write that user's files: a stranger's bundle
is verified in a container, a virtual machine or a job of a CI system that is thrown away afterwards.
"""

from __future__ import annotations

import os
from pathlib import Path

from ganbench.engines.local import LocalEngine
from ganbench.engines.network import why_not
from ganbench.errors import RequestError
from ganbench.experiment.engine import make_engine
from ganbench.store.run_spec import RuntimeConfig

PASSED = (
    "PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TZ", "LD_LIBRARY_PATH", "CUDA_VISIBLE_DEVICES", "CUDA_HOME",
    "XDG_CACHE_HOME", "GANBENCH_CACHE", "ATEN_CPU_CAPABILITY", "MKL_ENABLE_INSTRUCTIONS", "PYTHONHASHSEED",
)  # fmt: skip
"""Variables of the environment that submitted code is given; tokens and passwords are among the others."""


def confined_engine(jobs: int, runtime: RuntimeConfig, code: Path, *, network: bool) -> LocalEngine:
    """Return an engine whose workers find submitted code in a folder, and have no network unless `network`."""
    environment = {name: os.environ[name] for name in PASSED if name in os.environ}
    return make_engine(jobs, runtime, environment=environment | {"PYTHONPATH": str(code.absolute())}, network=network)


def check_network(*, allowed: bool) -> str:
    """Return what a result says of the network while submitted code runs.

    Raises `RequestError` where it cannot be blocked and that was not `allowed`.
    """
    reason = why_not()
    if not reason:
        return "blocked"
    if not allowed:
        raise RequestError(
            f"the network cannot be blocked for submitted code: {reason}: verify where it can be, or in a container "
            "without network, and pass --allow-network there; or stop at --level rescore, which runs no code"
        )
    return f"not blocked, because {reason}"
