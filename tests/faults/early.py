"""The run of all faulty models, begun before the tests that look at it: it waits for watchdogs, and nobody for it.

python -m tests.faults.early FOLDER        in the folder that the processes of pytest-xdist share
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from ..once import made_once
from ..zygote import ROOT, Forked, Zygote, use


def make(shared: str) -> None:
    """Be the process that others wait for where they need the run."""
    from .commands import run_models

    use(Zygote(Path(shared)))
    made_once(Path(shared), "models", run_models)


def main(shared: str) -> None:
    environment = os.environ | {"GANBENCH_CACHE": str(Path(shared) / "cache-of-models")}
    order = {"environment": environment, "folder": str(ROOT), "do": f"{__package__}.early:make", "with": [shared]}
    with Zygote(Path(shared)) as zygote:
        Forked(zygote.ready("commands"), order, [0, 1, 2]).wait()


if __name__ == "__main__":
    main(sys.argv[1])
