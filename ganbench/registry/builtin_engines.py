"""The built-in engines, described. What makes one is imported when it is first used."""

from __future__ import annotations

from ganbench.engine import EngineSource

LOCAL = EngineSource(
    name="local",
    summary="processes of this machine",
    factory="ganbench.engines.local:make",
    local=True,
)
RAY = EngineSource(
    name="ray",
    summary="nodes of a Ray cluster, with or without a shared disk",
    factory="ganbench.engines.ray_engine:make",
    options={
        "address": "the cluster: auto, or host:port of its head; without it a cluster on this machine",
        "shared": "no: files are brought to nodes and back, even where they see --runs; auto by default",
    },
    requires=("ray",),
    install="pip install 'ganbench[ray]'",
)
SLURM = EngineSource(
    name="slurm",
    summary="arrays of SLURM jobs; --runs must be on a disk that all nodes share",
    factory="ganbench.engines.slurm_engine:make",
    options={
        "partition": "the partition",
        "time": "the time limit of a job, after which its run goes on in another",
        "sbatch": "more options of sbatch, as on its command line",
    },
    programs=("sbatch", "squeue", "scontrol"),
    install="run it where SLURM's commands are, such as a login node",
)
ENGINES = (LOCAL, RAY, SLURM)
