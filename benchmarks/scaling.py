"""What an engine costs beside the work: ``python benchmarks/scaling.py [--runs-each 40] [--nodes 1,4] [--seconds 2]``.

A cluster of this machine is started whose nodes are pretended: one Ray node that says that it has so many cores. Tasks
sleep, so that they need no core of their own, and each node is given as many. Printed for each number of nodes: seconds
until the first result, how much longer all tasks took than they would without any cost, the command's seconds of a core
for each task, and its peak memory. ``--real`` gives each task a worker process, as runs have; without it the process of
Ray sleeps, and what is measured is the engine and Ray alone: a small machine has no room for more.

``--drivers 2`` starts as many commands on one store at once, each with all the tasks: none may be done twice.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ganbench.engine import Ended, EngineRequest, Task
from ganbench.store.locks import locked
from ganbench.util.exit_codes import BUSY

ROOT = Path(__file__).parents[1]
OBJECT_STORE = 100 * 2**20


def rest(payload: dict[str, Any], emit: Callable[..., None], began: float) -> int:
    """Be a run: take the lock, say how far it is once a second, leave a record; or find that it was done."""
    folder = Path(payload["folder"])
    folder.mkdir(parents=True, exist_ok=True)
    with locked(folder) as mine:
        if not mine:
            return BUSY
        if (folder / "run.json").exists():
            return 0
        end = time.monotonic() + payload["seconds"]
        while (left := end - time.monotonic()) > 0:
            emit(phase="training", share=max(0.0, 1 - left / payload["seconds"]))
            time.sleep(min(1.0, left))
        with open(folder / "starts", "a") as starts:
            starts.write(f"{os.getpid()}\n")
        (folder / "run.json").write_text("{}")
    return 0


def rest_here(order: dict[str, Any], files: Any) -> Iterator[dict[str, Any]]:
    """Do a task in Ray's own process; stands in for `ganbench.engines.ray_node.work`."""
    from ganbench.engine import Event
    from ganbench.engines.node import as_json

    news: list[dict[str, Any]] = []
    task = Task(order["task"]["name"], "", {}, Path("log"))
    yield {"event": as_json(Event(task, phase="training"))}
    code = rest(order["task"]["payload"], lambda **said: news.append(said), 0.0)
    yield {"busy": True} if code == BUSY else {"ended": as_json(Ended(task, code, Event(task)))}


def drive(address: str, store: Path, runs: int, seconds: float, *, real: bool) -> dict[str, float]:
    """Do all tasks through the Ray engine, and return what that cost this process."""
    from ganbench.engines import ray_engine, ray_node

    if not real:
        ray_node.work = rest_here
    before = resource.getrusage(resource.RUSAGE_SELF)
    with ray_engine.make(EngineRequest(None, 1, store, options={"address": address})) as engine:
        began, first = time.monotonic(), 0.0
        for number in range(runs):
            folder = store / f"{number:04d}"
            payload = {"folder": str(folder), "seconds": seconds}
            engine.submit(Task(f"{number}", f"{__name__}:rest", payload, folder / "log.txt", lock=folder))
        ended = 0
        for happened in engine.events():
            if isinstance(happened, Ended):
                assert happened.code == 0, happened
                first, ended = first or time.monotonic() - began, ended + 1
        wall = time.monotonic() - began
    after = resource.getrusage(resource.RUSAGE_SELF)
    assert ended == runs
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"first": first, "wall": wall, "core": spent / runs, "peak": after.ru_maxrss / 1024}


def cluster(cores: int) -> Any:
    from ray.cluster_utils import Cluster

    os.environ["RAY_worker_niceness"] = "0"  # noqa: SIM112
    words = {"num_cpus": cores, "object_store_memory": OBJECT_STORE, "include_dashboard": False}
    return Cluster(initialize_head=True, head_node_args=words)


def command(address: str, folder: str, runs: int, options: argparse.Namespace) -> list[str]:
    """Return the command line of a driver of its own."""
    words = [sys.executable, __file__, "--one", json.dumps([address, folder, runs]), "--seconds", str(options.seconds)]
    return [*words, *(["--real"] if options.real else [])]


def several(address: str, folder: str, runs: int, options: argparse.Namespace) -> None:
    """Start commands at the same time on one store, and say what each saw."""
    words = command(address, folder, runs, options)
    processes = [subprocess.Popen(words, stdout=subprocess.PIPE, text=True) for _ in range(options.drivers)]
    found = [json.loads(process.communicate()[0].splitlines()[-1]) for process in processes]
    done = sum(len(path.read_text().splitlines()) for path in Path(folder).glob("*/starts"))
    walls = ", ".join(f"{each['wall']:.1f} s" for each in found)
    print(f"{options.drivers} commands on one store: {walls}; {done} runs done, {runs} asked for by each", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs-each", type=int, default=40, help="tasks for each node")
    parser.add_argument("--nodes", default="1,4,16,50")
    parser.add_argument("--seconds", type=float, default=2.0, help="how long a task takes")
    parser.add_argument("--drivers", type=int, default=1)
    parser.add_argument("--real", action="store_true")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        address, store, runs = json.loads(options.one)
        print(json.dumps(drive(address, Path(store), runs, options.seconds, real=options.real)))
        return
    kind = "real" if options.real else "stub"
    print(f"tasks of {options.seconds:g} s, {os.cpu_count()} cores, {kind} workers")
    print("nodes  tasks  first result  all, of the ideal  core-s a task  peak MiB")
    for nodes in map(int, options.nodes.split(",")):
        runs = nodes * options.runs_each
        with tempfile.TemporaryDirectory() as folder:
            made = cluster(nodes)
            try:
                if options.drivers > 1:
                    several(made.address, folder, runs, options)
                    continue
                words = command(made.address, folder, runs, options)
                said = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True).stdout
            finally:
                made.shutdown()
        found = json.loads(said.splitlines()[-1])
        print(
            f"{nodes:5d}  {runs:5d}  {found['first']:10.1f} s  "
            f"{found['wall'] / (options.runs_each * options.seconds):16.2f}x  {found['core']:13.4f}  "
            f"{found['peak']:8.0f}", flush=True,
        )  # fmt: skip


if __name__ == "__main__":
    main()
