"""SLURM on this machine: a controller and two nodes of pretended size, in a folder of their own."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

CONF = """
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket,cred_expire=5
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
MpiDefault=none
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,sched_interval=2,bf_interval=2,requeue_setup_env_fail
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
ReturnToService=2
KillWait=15
MinJobAge=30
InactiveLimit=0
SlurmdParameters=config_overrides
MaxArraySize=20
NodeName=n1 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[1]} CPUs=2 RealMemory=4000
NodeName=n2 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[2]} CPUs=2 RealMemory=4000
PartitionName=low Nodes=n1,n2 Default=YES PriorityTier=1 MaxTime=60 State=UP
PartitionName=high Nodes=n1,n2 PriorityTier=10 MaxTime=60 State=UP
"""


def why_not() -> str:
    """Say why SLURM cannot be started here; nothing where it can."""
    absent = [name for name in ("slurmctld", "slurmd", "munged", "sbatch") if _program(name) is None]
    if absent:
        return f"{', '.join(absent)} not installed: apt-get install slurm-wlm munge"
    return "" if os.geteuid() == 0 else "SLURM's daemons need root"


def _program(name: str) -> str | None:
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin")


@contextlib.contextmanager
def slurm(folder: Path) -> Iterator[Path]:
    """Run a cluster meanwhile; yield the configuration's file, which SLURM_CONF must name."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("state", "spool-n1", "spool-n2"):
        (folder / name).mkdir()
    conf = folder / "slurm.conf"
    conf.write_text(
        CONF.format(host=socket.gethostname().split(".")[0], folder=folder, ports=[_free_port() for _ in range(3)])
    )
    key = folder / "munge.key"
    key.write_bytes(os.urandom(128))
    key.chmod(0o400)
    environment = os.environ | {"SLURM_CONF": str(conf)}
    daemons = [
        ["munged", "--foreground", "--force", f"--socket={folder}/munge.socket", f"--key-file={key}",
         f"--pid-file={folder}/munged.pid", f"--log-file={folder}/munged.log", f"--seed-file={folder}/munged.seed"],
        ["slurmctld", "-D", "-i", "-f", str(conf)],
        ["slurmd", "-D", "-N", "n1", "-f", str(conf)],
        ["slurmd", "-D", "-N", "n2", "-f", str(conf)],
    ]  # fmt: skip
    with contextlib.ExitStack() as stack:
        out = stack.enter_context(open(folder / "daemons.log", "wb"))
        for words in daemons:
            program = _program(words[0])
            assert program is not None
            process = subprocess.Popen(
                [program, *words[1:]], env=environment, stdout=out, stderr=out, start_new_session=True
            )
            stack.callback(_stop, process)
            if words[0] == "munged":
                _until(lambda: (folder / "munge.socket").exists())
        _until(lambda: _idle(environment))
        yield conf


def _idle(environment: dict[str, str]) -> bool:
    said = subprocess.run(
        ["sinfo", "-h", "-N", "-p", "low", "-o", "%T"], env=environment, capture_output=True, text=True
    )
    return said.stdout.split() == ["idle", "idle"]


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _until(good: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not good():
        assert time.monotonic() < deadline, "SLURM did not start"
        time.sleep(0.2)
