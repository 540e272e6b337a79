"""The scoring worker: what it imports, and what it writes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from ganbench.experiment.protocols import resolve
from ganbench.registry.lookup import find_track
from ganbench.registry.registry import Registry
from ganbench.scoring.job import ScoreJob
from ganbench.store.store import Store

from ..conftest import Smoke

CODE = """
import json, sys, time
from ganbench.scoring.worker import work

status = work(json.load(open(sys.argv[1])), lambda **news: None, time.perf_counter())
print(status, [name for name in sys.modules if name.startswith(("ganbench_plugins", "ganbench.training"))])
"""


def test_it_imports_no_model_and_scores_as_before(smoke: Smoke, registry: Registry, tmp_path: Path) -> None:
    (plan,) = resolve(find_track("digits-smoke", registry), registry).plans
    runs = tmp_path / "runs"
    store = Store(runs)
    records = [Store(smoke.runs).read(key) for key in Store(smoke.runs).keys()]
    (key,) = [each.key for each in records if each is not None and each.spec.model_info.name == "vae"]
    shutil.copytree(smoke.runs / key, runs / key)
    (before,) = store.scores(key).records
    shutil.rmtree(runs / key / "scores")
    job = ScoreJob(
        store=runs, keys=[key], protocol=plan.protocol, metrics=[metric.name for metric in plan.metrics],
        headline="fid", items=list(plan.items),
    )  # fmt: skip
    (tmp_path / "job.json").write_text(json.dumps(job.model_dump(mode="json")))
    done = subprocess.run(
        [sys.executable, "-c", CODE, tmp_path / "job.json"], capture_output=True, text=True, env=dict(os.environ)
    )
    assert (done.returncode, done.stdout) == (0, "0 []\n"), done.stderr
    (again,) = store.scores(key).records
    assert again.metrics == before.metrics
