"""The Ray engine against a cluster of this machine: tasks on nodes, nodes that are lost, drivers that are killed."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from ganbench.engine import WAITING, Ended, EngineRequest, Event, Task
from ganbench.errors import RequestError
from ganbench.store.locks import locked
from ganbench.util.resources import Resources

from ..conftest import SMOKE, Answer, Smoke, at
from .same_records import check_same_runs
from .tasks import counting, ends, is_running, task, until

pytest.importorskip("ray", reason="Ray is not installed: pip install 'ganbench[ray]'")
pytestmark = pytest.mark.filterwarnings("ignore")  # Ray's own
ROOT = Path(__file__).parents[2]
SMALL = {"num_cpus": 1, "object_store_memory": 80 * 2**20}


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """A cluster of three nodes: a head that does no work, and two with a core each."""
    with warnings.catch_warnings(), pytest.MonkeyPatch.context() as patch:
        warnings.simplefilter("ignore")
        patch.setenv("RAY_worker_niceness", "0")  # other tests run beside
        from ray.cluster_utils import Cluster

        made = Cluster(initialize_head=True, head_node_args={**SMALL, "num_cpus": 0, "include_dashboard": False})
        for _ in range(2):
            made.add_node(**SMALL)
        yield made
        made.shutdown()


@pytest.fixture
def make(cluster: Any, tmp_path: Path) -> Callable[..., Any]:
    """Return an engine on the cluster, with a store in the test's folder."""
    from ganbench.engines.ray_engine import make as make_engine

    def made(jobs: int | None = None, **options: str) -> Any:
        store = tmp_path / "store"
        store.mkdir(exist_ok=True)
        return make_engine(EngineRequest(jobs, 1, store, options={"address": cluster.address, **options}))

    return made


def test_tasks_end_as_they_would_here_and_no_more_run_than_there_is_room_for(
    make: Callable[..., Any], tmp_path: Path
) -> None:
    tasks = [task(tmp_path, "answer", f"a{n}", more=n) for n in range(3)]
    tasks += [task(tmp_path, "raises"), task(tmp_path, "kills_itself")]
    at_work, most, found, phases = 0, 0, {}, []
    with make() as engine:
        for each in tasks:
            engine.submit(each)
        for happened in engine.events():
            if isinstance(happened, Ended):
                found[happened.task.name] = happened
                at_work -= 1
            else:
                phases += [happened.phase] if happened.task.name == "a0" else []
                at_work += happened.phase == "waiting for a node"
            most = max(most, at_work)
    assert {name: end.code for name, end in found.items()} == {
        "a0": 0, "a1": 0, "a2": 0, "raises": 1, "kills_itself": -signal.SIGKILL,
    }  # fmt: skip
    assert phases == ["waiting for a node", "starting", "training", "done"]
    assert found["a1"].last.data == {"more": 1}
    assert found["raises"].log.endswith("ValueError: a fault of the task's own")
    assert set(found["a0"].spent) == {"starting", "training", "done"}
    assert most == 2
    assert not list((tmp_path / "store").glob(".shared-*"))


def test_what_is_lost_goes_on_elsewhere_and_leaves_no_process(
    make: Callable[..., Any], cluster: Any, tmp_path: Path
) -> None:
    node = cluster.add_node(**SMALL)
    killed, pids, said, found = False, [], [], {}
    with make() as engine:
        for name in ("a", "b", "c"):
            engine.submit(counting(tmp_path, name, 100))
        for happened in engine.events():
            if isinstance(happened, Ended):
                found[happened.task.name] = happened
                continue
            said.append(happened.phase)
            pids += [happened.data["worker"]] if "worker" in happened.data else []
            if len(pids) == 3 and not killed and happened.share > 0.05:
                killed = True
                cluster.remove_node(node, allow_graceful=False)
    assert {name: end.code for name, end in found.items()} == dict.fromkeys("abc", 0)
    starts = {name: (tmp_path / "store" / name / "starts").read_text().splitlines() for name in "abc"}
    assert killed
    assert sorted(map(len, starts.values())) == [1, 1, 2]
    lost = next(name for name in "abc" if len(starts[name]) == 2)
    assert found[lost].last.data["began"] > 0  # it went on from its checkpoint
    assert [phase for phase in said if phase.startswith("starts again: ")]
    assert not any(map(is_running, pids))


def test_leaving_the_engine_asks_workers_to_end(make: Callable[..., Any], tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    with make() as engine:
        engine.submit(task(tmp_path, "sleeps", pid=str(pid), polite=True))
        for happened in engine.events():
            if happened.phase == "training":
                break
        until(pid.exists)
    assert not is_running(int(pid.read_text()))


def test_a_killed_driver_leaves_no_process_and_its_tasks_go_on_with_the_next(
    make: Callable[..., Any], cluster: Any, tmp_path: Path
) -> None:
    counting(tmp_path, "a", 400)
    code = f"""
from pathlib import Path
from ganbench.engine import EngineRequest
from ganbench.engines.ray_engine import make
from tests.engines.tasks import counting
request = EngineRequest(None, 1, Path({str(tmp_path / "store")!r}), options={{"address": {cluster.address!r}}})
with make(request) as engine:
    engine.submit(counting(Path({str(tmp_path)!r}), "a", 400))
    for happened in engine.events():
        pass
"""
    starts = tmp_path / "store" / "a" / "starts"
    driver = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stderr=subprocess.PIPE)
    count = starts.with_name("count.pt")
    until(lambda: count.exists() and int(count.read_text()) > 1)
    pid = int(starts.read_text().split()[0])
    assert is_running(pid)
    driver.kill()
    driver.wait()
    until(lambda: not is_running(pid))
    found = ends(make(), [counting(tmp_path, "a", 1)])
    assert found["a"].code == 0
    assert found["a"].last.data["began"] > 1


def test_without_a_shared_disk_files_are_brought_and_come_back(make: Callable[..., Any], tmp_path: Path) -> None:
    folder = tmp_path / "store" / "a"
    work = counting(tmp_path, "a", 40)
    (folder / "count.pt").write_text("10")
    seen = set()
    with make(shared="no") as engine:
        engine.submit(work)
        engine.submit(task(tmp_path, "answer"))  # it names no folder of its own: done on this machine
        for happened in engine.events():
            seen.add((folder / "count.pt").read_text() if (folder / "count.pt").exists() else "")
            if isinstance(happened, Ended):
                assert happened.code == 0
                if happened.task.name == "a":
                    assert happened.last.data["began"] == 10
                    with locked(folder) as free:
                        assert free
    assert len(seen - {"10", ""}) >= 1  # checkpoints come back while it runs
    assert (folder / "run.json").read_text() == "counted to 40"
    assert not (folder / "count.pt").exists()
    assert (folder / "starts").read_text().endswith(" some data\n")
    assert sorted(path.name for path in folder.iterdir()) == ["lock", "log.txt", "run.json", "starts"]


@pytest.mark.parametrize("disk", ["auto", "no"])
def test_what_another_command_is_at_work_on_waits(make: Callable[..., Any], tmp_path: Path, disk: str) -> None:
    work, said = counting(tmp_path, "a", 2), []
    with contextlib.ExitStack() as stack, make(shared=disk) as engine:
        holder = stack.enter_context(subprocess.Popen(
            [sys.executable, "-c", HOLD, str(work.folder)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ))  # fmt: skip
        assert holder.stdout is not None and holder.stdin is not None
        holder.stdout.readline()
        engine.submit(work)
        for happened in engine.events():
            if isinstance(happened, Event) and happened.phase == WAITING and not said:
                said.append(happened.phase)
                holder.stdin.close()
            elif isinstance(happened, Ended):
                said.append(str(happened.code))
    assert said == [WAITING, "0"]


HOLD = """
import sys
from pathlib import Path
from ganbench.store.locks import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_what_cannot_be_is_told_in_a_line(
    make: Callable[..., Any], cluster: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ganbench.engines import ray_cluster
    from ganbench.engines.ray_engine import make as make_engine

    with pytest.raises(RequestError, match=r"no node has what a needs \(cpus 64, gpus 0\)"), make() as engine:
        engine.submit(counting(tmp_path, "a", 1, resources=Resources(64)))
        list(engine.events())
    with pytest.raises(RequestError, match="no cluster at 127.0.0.1:1"):
        make(address="127.0.0.1:1").__enter__()
    model = tmp_path / "tiny.py"
    model.touch()
    with pytest.raises(RequestError, match=r"tiny.py: the nodes do not see it"), make(shared="no") as engine:
        engine.submit(Task("a", "x:y", {}, tmp_path / "log", reads=(model,), folder=tmp_path / "store"))
        list(engine.events())
    request = EngineRequest(
        1, 1, tmp_path / "store", devices=("cuda:99",), options={"address": cluster.address, "shared": "no"}
    )
    with pytest.raises(RequestError, match="nodes share no disk, so runs are scored on this machine: --device cuda:99"):
        make_engine(request).__enter__()
    known = ray_cluster.environment()
    monkeypatch.setattr(ray_cluster, "environment", lambda: {**known, "torch": "1.0"})
    with pytest.raises(RequestError, match=r"node \S+ has torch \S+ \(here 1.0\): install the same there"):
        make().__enter__()


@pytest.mark.parametrize("disk", ["auto", "no"])
def test_runs_are_those_of_this_machine(
    cluster: Any, smoke: Smoke, command: Callable[..., Answer], tmp_path: Path, disk: str
) -> None:
    engine = f"ray[address={cluster.address},shared={disk}]"
    answer = command("run", "--plugins", "dcgan,vae", *SMOKE, "--engine", engine, *at(tmp_path))
    assert (answer.status, answer.err) == (0, "")
    assert "as many at a time as there is room for (ray), 1 thread each, cpu" in answer.out
    check_same_runs(smoke.runs, tmp_path / "runs")
