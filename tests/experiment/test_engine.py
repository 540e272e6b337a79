"""What is asked of engines: names, options, devices, and what runs need of a node."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import ganbench
from ganbench.budget import Budget
from ganbench.engine import EngineSource
from ganbench.errors import RequestError
from ganbench.experiment.engine import choose_engine
from ganbench.registry.entry_points import Origin
from ganbench.registry.registry import Registry
from ganbench.util.resources import Resources, read_resources, resources_of

from ..conftest import Answer

CLUSTER = EngineSource("cluster", "a test", "nowhere:make", options={"queue": "which queue"})
GIB = 2**30


@pytest.fixture
def registry(registry: Registry) -> Registry:
    """Everything installed, and an engine of several nodes."""
    mine = Registry()
    for entry in registry.all("engines"):
        mine.take("engines", entry.thing, entry.origin)
    mine.take("engines", CLUSTER, Origin("test", "1", ""))
    return mine


def test_an_engine_is_named_with_its_options(registry: Registry) -> None:
    assert choose_engine("local", registry, device="cpu").source.local
    chosen = choose_engine("cluster[queue=long]", registry, per_run="cpus=2,memory=8GiB")
    assert (chosen.source, chosen.options, chosen.jobs, chosen.threads) == (CLUSTER, {"queue": "long"}, None, 1)
    assert chosen.resources({}) == Resources(2.0, 0.0, 8 * GIB)
    assert choose_engine("cluster", registry, options={"queue": "short", "time": None}).options == {"queue": "short"}


def test_a_model_says_what_it_needs_and_per_run_overrides_it(registry: Registry) -> None:
    declared = {"cpus": 4, "gpus": 0.5, "memory": "2GiB"}
    on_gpus = choose_engine("cluster", registry, device="cuda")
    assert on_gpus.resources({}) == Resources(1.0, 1.0)
    assert on_gpus.resources(declared) == Resources(4.0, 0.5, 2 * GIB)
    assert choose_engine("cluster", registry).resources(declared) == Resources(4.0, 0.0, 2 * GIB)
    mine = choose_engine("cluster", registry, per_run="gpus=0.25")
    assert (mine.device, mine.resources(declared)) == ("cuda:0", Resources(4.0, 0.25, 2 * GIB))
    assert choose_engine("cluster", registry, device="cuda", per_run="cpus=8").threads == 8


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"engine": "clutser"}, "unknown engine 'clutser' (did you mean 'cluster'?); `ganbench engines` lists them"),
        ({"engine": "cluster[queu=1]"}, "'queu=1' is not option=value (did you mean 'queue'?): it has queue"),
        ({"engine": "cluster[queue"}, "write name or name[option=value,...]"),
        ({"engine": "local", "options": {"time": "1:00"}}, "--time 1:00: the engine 'local' has no such option"),
        ({"engine": "local", "per_run": "cpus=2"}, "--per-run cpus=2: applies to clusters"),
        ({"device": "cuda:1"}, "--device cuda:1: the engine 'cluster' gives out GPUs itself: write cpu or cuda"),
        ({"device": "cpu", "per_run": "gpus=1"}, "--device cpu: --per-run asks for 1 GPUs"),
        ({"device": "cuda", "per_run": "gpus=0"}, "--device cuda: --per-run asks for no GPU"),
        ({"jobs": 0}, "--jobs 0: at least 1"),
        ({"threads": 3, "per_run": "cpus=2"}, "--threads 3: more than the 2 cores of --per-run"),
    ],
)
def test_a_wrong_request_is_one_line(registry: Registry, words: dict[str, Any], said: str) -> None:
    with pytest.raises(RequestError) as error:
        choose_engine(**{"engine": "cluster", **words}, registry=registry)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_what_an_engine_needs_is_looked_for(registry: Registry) -> None:
    far = EngineSource("far", "", "a:b", requires=("no_such",), programs=("no-such",), install="do x")
    registry.take("engines", far, Origin("test", "1", ""))
    with pytest.raises(RequestError, match="--engine far: needs no_such, no-such: do x"):
        choose_engine("far", registry)


def test_time_on_gpus_of_unknown_kind_does_not_compare(registry: Registry) -> None:
    choose_engine("cluster", registry).check_timed(Budget.parse("60s"))
    choose_engine("cluster", registry, device="cuda").check_timed(Budget.parse("60kimg"))
    with pytest.raises(RequestError, match="a budget of time on GPUs"):
        choose_engine("cluster", registry, device="cuda").check_timed(Budget.parse("60s"))


@pytest.mark.parametrize(
    "text", ["", "cpus", "cpus=", "cpus=1.5", "cpus=0", "gpus=-1", "gpus=1.5", "cores=2", "memory=lots", "gpus=nan"]
)
def test_resources_that_cannot_be_are_refused(text: str) -> None:
    with pytest.raises(RequestError, match="--per-run"):
        read_resources(text)


def test_resources_of_a_model_are_checked_when_it_is_registered() -> None:
    class Greedy(ganbench.Model):
        name = "greedy"
        resources = {"cpu": 2}

    with pytest.raises(RequestError, match=r"class .*Greedy: resources: unknown resource 'cpu' \(did you mean 'cpus'"):
        Registry().take("models", Greedy, Origin("test", "1", ""))
    assert resources_of({"gpus": 0}, "") == Resources(gpus=0.0)


ENGINE = """
import ganbench
from ganbench.engines.local import make as local

def make(request):
    request.store.joinpath("asked.txt").write_text(repr((request.jobs, dict(request.options))))
    return local(request)

@ganbench.hookimpl
def ganbench_register_engines(register):
    register(ganbench.EngineSource("queue", "a queue", f"{__name__}:make", options={"name": "its name"}))
"""


def test_a_plugin_brings_an_engine(
    distribution: Callable[..., str], command: Callable[..., Answer], tmp_path: Path
) -> None:
    distribution("queue-engine", ENGINE)
    listed = command("engines")
    assert "queue  a queue" in listed.out and "queue[name=...]: its name" in listed.out
    words = ("--plugins", "vae", "--track", "digits-smoke", "--seeds", 1, "--budget", "2steps", "--no-baselines")
    places = ("--runs", tmp_path / "runs", "--boards", tmp_path / "boards", "--published", tmp_path / "none")
    (tmp_path / "runs").mkdir()
    answer = command("run", *words, *places, "--engine", "queue[name=long]", "--jobs", 1)
    assert (answer.status, answer.err) == (0, "")
    assert "1 at a time (queue)" in answer.out
    assert (tmp_path / "runs" / "asked.txt").read_text() == "(1, {'name': 'long'})"
