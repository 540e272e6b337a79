"""A Ray cluster: joined or started, its nodes asked what they are, and what they have room for."""

from __future__ import annotations

import logging
import math
import os
import signal
import socket
import threading
import time
from pathlib import Path
from typing import Any

import ray
from ray.exceptions import GetTimeoutError, NodeDiedError, RayError, RayTaskError, TaskUnschedulableError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from ganbench.engine import Task
from ganbench.engines import ray_node
from ganbench.engines.environment import difference, environment
from ganbench.errors import RequestError
from ganbench.util.device import cores
from ganbench.util.text import one_line

REACH = 10.0
"""Seconds that the cluster's head may take to answer."""
LOOK = 60.0
"""Seconds that a node may take to say what it is."""
NODES_FOR = 1.0
"""Seconds that a list of the cluster's nodes holds good."""


def connect(address: str | None) -> None:
    """Join the cluster at an address, or start one of this machine alone."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_IGNORE_UNHANDLED_ERRORS", "1")  # the engine tells of lost nodes itself
    ray._private.worker._worker_logs_enabled = False  # and pages of a raylet's log would break into its lines
    if address is not None and address != "auto":
        _check_reachable(address)
    words: dict[str, Any] = {"address": address} if address else {"num_cpus": cores(), "include_dashboard": False}
    handler = signal.getsignal(signal.SIGTERM)
    try:
        ray.init(**words, log_to_driver=False, logging_level=logging.ERROR)
    except (ConnectionError, RuntimeError, ValueError) as error:
        where = f"no cluster at {address}" if address else "no cluster could be started"
        raise RequestError(f"--engine ray: {where}: {one_line(str(error), 200)}") from error
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, handler)  # Ray's own would end the command without a word


def _check_reachable(address: str) -> None:
    """Raise `RequestError` where nobody answers at an address: Ray itself would try for minutes."""
    host, colon, port = address.rpartition(":")
    if not (colon and host and port.isdecimal()):
        raise RequestError(f"--engine ray: address {address!r}: write auto, or host:port of the cluster's head")
    try:
        socket.create_connection((host, int(port)), timeout=REACH).close()
    except (OSError, OverflowError) as error:  # a port beyond 65535
        raise RequestError(f"--engine ray: no cluster at {address}: {error}") from error


def share_a_disk(marker: Path) -> bool:
    """Ask every node what it is, and tell whether all see a file in the folder of runs.

    Raises `RequestError` for one that cannot be used, or whose environment is another.
    """
    nodes = _nodes()
    look = ray.remote(num_cpus=0, max_retries=0)(ray_node.look)
    asked = [look.options(scheduling_strategy=only_on(node["NodeID"])).remote(str(marker)) for node in nodes]
    shared = True
    for node, answer in zip(nodes, asked, strict=True):
        name = node["NodeManagerHostname"]
        try:
            said = ray.get(answer, timeout=LOOK)
        except (TaskUnschedulableError, NodeDiedError):
            continue  # it has left meanwhile
        except (RayError, GetTimeoutError) as error:
            raise RequestError(f"--engine ray: node {name} cannot be used: {cause(error)}") from error
        if why := difference(environment(), said["environment"]):
            raise RequestError(f"--engine ray: node {name} has {why}: install the same there")
        shared &= said["shared"]
    return shared


def only_on(node: str) -> NodeAffinitySchedulingStrategy:
    """Return what keeps a task or an actor on a node."""
    return NodeAffinitySchedulingStrategy(node, soft=False)


class Room:
    """How many tasks the cluster has room for."""

    def __init__(self) -> None:
        self._nodes: list[dict[str, float]] = []
        self._counted = -math.inf

    def of(self, task: Task) -> int:
        """Return how many tasks such as this one could be at work; 0 where no node could do it."""
        if time.monotonic() - self._counted > NODES_FOR:
            self._nodes, self._counted = [node["Resources"] for node in _nodes()], time.monotonic()
        wanted, count = asked_for(task), 0
        for has in self._nodes:
            shares = [has.get("CPU", 0.0) / wanted["num_cpus"]]
            shares += [has.get("GPU", 0.0) / wanted["num_gpus"]] if wanted["num_gpus"] else []
            shares += [has.get("memory", 0.0) / wanted["memory"]] if "memory" in wanted else []
            count += int(min(shares))
        return count


def asked_for(task: Task) -> dict[str, Any]:
    """Return what a task asks of a node, in Ray's words."""
    wanted = task.resources
    found: dict[str, Any] = {"num_cpus": wanted.cpus or 1, "num_gpus": wanted.gpus or 0}
    return found | ({"memory": wanted.memory} if wanted.memory else {})


def cause(error: BaseException) -> str:
    """Return in a line what Ray says of an error: the last line of a traceback, else the first."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    return one_line(lines[-1 if isinstance(error, RayTaskError) else 0], 200)


def _nodes() -> list[dict[str, Any]]:
    return [node for node in ray.nodes() if node["Alive"]]  # type: ignore[no-untyped-call]
