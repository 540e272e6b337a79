"""Where and with what a record was made."""

from __future__ import annotations

import datetime
import subprocess
import sys

from ganbench.store.provenance import provenance

LIGHT = """
import sys
import ganbench.store.store, ganbench.store.lookup, ganbench.store.status, ganbench.store.clean
from ganbench.store.provenance import provenance
found = provenance(None, "fp32", [])
assert found["torch"] and found["threads"] is None, found
assert not {"torch", "pandas", "matplotlib", "sklearn"} & set(sys.modules)
"""


def test_a_reader_can_set_up_the_same_again() -> None:
    found = provenance("cpu", "fp32", ["ganbench", "run"])
    assert found.keys() == {
        "started", "command", "git_commit", "git_dirty", "ganbench", "python", "torch", "cuda", "driver", "device",
        "threads", "deterministic", "cpu", "cores", "platform", "precision",
    }  # fmt: skip
    assert datetime.datetime.fromisoformat(found["started"]).tzinfo
    assert (found["device"], found["cuda"], found["command"]) == ("cpu", None, ["ganbench", "run"])
    assert found["threads"] >= 1


def test_the_store_needs_no_torch() -> None:
    subprocess.run([sys.executable, "-c", LIGHT], check=True, timeout=60)
