"""A board trained here, on Ray while nodes are killed, on SLURM under preemption: are the records the same?

    python benchmarks/engines_agree.py [--plugins dcgan,vanilla,vae] [--budget 10kimg] [--seeds 2] [--folder DIR]

Clusters are started on this machine: a Ray cluster of three nodes with a core each, of which two are killed as soon as
two runs have checkpoints; a SLURM cluster of two nodes, on which a job of a higher priority preempts both as soon as
runs have checkpoints. SLURM's part needs root, slurm-wlm and munge, and is left out without them. Compared are
hyper-parameters, samples, losses, curves, flags and scores, to the last digit; printed are wall seconds, and how many
runs went on from a checkpoint.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from ganbench.store.store import Store

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.engines.same_records import check_same_runs  # noqa: E402
from tests.engines.slurm_cluster import slurm, why_not  # noqa: E402

CORE = {"num_cpus": 1, "object_store_memory": 80 * 2**20}


def train(words: list[str], folder: Path, disturb: Callable[[], object] | None = None) -> float:
    """Train a board in a folder; `disturb` is called once, when two runs have checkpoints. Return wall seconds."""
    began, runs = time.monotonic(), folder / "runs"
    options = ["--runs", str(runs), "--boards", str(folder / "boards"), "--published", str(folder / "none")]
    command = subprocess.Popen(["ganbench", "run", *words, *options, "--checkpoint-every", "1", "--quiet"])
    while command.poll() is None:
        if disturb is not None and len(list(runs.glob("*/resume.pt"))) >= 2:
            disturb()
            disturb = None
        time.sleep(0.2)
    if command.returncode or disturb is not None:
        sys.exit(f"{folder.name}: status {command.returncode}{', and nothing was disturbed' if disturb else ''}")
    return time.monotonic() - began


def say(name: str, seconds: float, here: Path, folder: Path) -> None:
    check_same_runs(here / "runs", folder / "runs")
    runs = [each.record for each in Store(folder / "runs").records() if each.record is not None]
    went_on = sum(bool(record.resumed) for record in runs)
    print(
        f"{name}: {seconds:.0f} s, {went_on} of {len(runs)} runs went on from a checkpoint; "
        "records are those of this machine", flush=True,
    )  # fmt: skip


def on_ray(words: list[str], here: Path, folder: Path) -> None:
    os.environ["RAY_worker_niceness"] = "0"  # noqa: SIM112
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={**CORE, "num_cpus": 0, "include_dashboard": False})
    nodes = [cluster.add_node(**CORE) for _ in range(3)]
    try:
        seconds = train(
            [*words, "--engine", "ray", "--address", cluster.address], folder,
            lambda: [cluster.remove_node(node, allow_graceful=False) for node in nodes[:2]],
        )  # fmt: skip
    finally:
        cluster.shutdown()
    say("ray, three nodes, two killed", seconds, here, folder)


def on_slurm(words: list[str], here: Path, folder: Path) -> None:
    def preempt() -> None:
        for node in ("n1", "n2"):
            job = ["sbatch", "-p", "high", "-w", node, "-c", "2", "--output=/dev/null", "--wrap", "sleep 2"]
            subprocess.run(job, check=True, capture_output=True)

    with slurm(folder / "slurm") as conf:
        os.environ["SLURM_CONF"] = str(conf)
        seconds = train([*words, "--engine", "slurm", "--partition", "low", "--per-run", "cpus=2"], folder, preempt)
    say("slurm, two nodes, both preempted", seconds, here, folder)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--plugins", default="dcgan,vanilla,vae")
    parser.add_argument("--budget", default="10kimg")
    parser.add_argument("--seeds", default="2")
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    words = ["--plugins", options.plugins, "--budget", options.budget, "--seeds", options.seeds, "--device", "cpu"]
    with tempfile.TemporaryDirectory() as made:
        folder = options.folder or Path(made)
        here = folder / "local"
        print(f"local: {train(words, here):.0f} s", flush=True)
        on_ray(words, here, folder / "ray")
        if why := why_not():
            print(f"slurm: left out: {why}")
        else:
            on_slurm(words, here, folder / "slurm")


if __name__ == "__main__":
    main()
