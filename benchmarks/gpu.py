"""What a GPU gives, and whether it is right: ``python benchmarks/gpu.py [--device cuda:0] [--limit 520] [--out FILE]``.

One command for a bare machine with one GPU, which ends within its limit of seconds; what it does not reach it says.
In turn: every model's steps and samples beside the CPU's; metrics beside the CPU's; a run that was killed and went on;
out of memory as a row; images per second in a plain loop, in our loop, and in runs side by side, with how busy the GPU
was; quality in fp32 and bf16. Prints as it goes, and writes all of it to FILE (JSON) after each part; `gpu_page.py`
makes docs/gpu.md of that. ``--smoke`` does a little of each part, for a test without a GPU.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from boards import PEERS
from gpu_models import all_compared

import ganbench
from ganbench.budget import Budget
from ganbench.model import Batch, DataSpec, Model
from ganbench.registry.builtins import discover
from ganbench.registry.lookup import find_metrics, find_track, load_dataset
from ganbench.scoring.evaluator import Evaluator
from ganbench.scoring.metric_context import Classifier
from ganbench.store.checkpoint_header import LATEST
from ganbench.store.provenance import provenance
from ganbench.store.store import Store
from ganbench.training.loop import Loop
from ganbench.training.phase_timer import PhaseTimer
from ganbench.training.seeding import seed_everything
from ganbench.util.float32 import use_ieee_float32

GREEDY = """
import torch, ganbench
class Greedy(ganbench.Model):
    name = "greedy"
    def __init__(self, data, config):
        super().__init__(data, config)
        self.weights = torch.nn.Parameter(torch.empty(2**48, dtype=torch.uint8), requires_grad=False)
"""


@dataclass(frozen=True)
class Size:
    """How much of each part is done."""

    track: str
    seeds: int
    models: tuple[str, ...]
    """For throughput and quality."""
    compared: tuple[str, ...]
    """Compared with the CPU; all where empty."""
    budget: str
    """Of runs whose speed is measured."""
    steps: int
    """Of loops whose speed is measured."""
    side_by_side: tuple[int, ...]
    samples: tuple[int, ...]
    """For metrics."""


WHOLE = Size(
    "mnist5k-quick", 3, ("dcgan", "vae", "flow-matching"), (), "30kimg", 600, (1, 2, 4, 8), (1000, 10_000)
)  # fmt: skip
SMOKE = Size("digits-smoke", 1, ("vae",), ("vae", "cgan"), "1kimg", 10, (1, 2), (100,))


@dataclass
class Bench:
    """One go at all parts on a device."""

    device: torch.device
    size: Size
    deadline: float
    folder: Path

    def __post_init__(self) -> None:
        self.registry = discover()
        self.track = find_track(self.size.track, self.registry)
        self.data = load_dataset(self.track.dataset, self.registry, None)

    @property
    def left(self) -> float:
        return self.deadline - time.perf_counter()

    def entry(self, name: str) -> Any:
        return self.registry.get("models", name)

    def command(self, runs: str, *words: str, timeout: float | None = None) -> subprocess.CompletedProcess[str]:
        """Run ``ganbench run`` on the track in an own folder; its processes end with it."""
        line = [sys.executable, "-m", "ganbench", "run", "--track", self.size.track, "--device", str(self.device)]
        line += ["--runs", str(self.folder / runs), "--quiet", *words]
        return subprocess.run(
            line, cwd=self.folder, capture_output=True, text=True, timeout=max(1.0, timeout or self.left)
        )

    def records(self, runs: str) -> list[Any]:
        """Return what was trained in a folder, without baselines."""
        store = Store(self.folder / runs)
        found = [store.read(key) for key in store.keys()]
        return [each for each in found if each is not None and each.spec.model_info.role == "model"]

    # Parts. Each returns what goes into the file.

    def models(self) -> list[dict[str, Any]]:
        """Compare every model's steps and samples with those on the CPU."""
        entries = [entry for entry in self.registry.all("models") if not entry.name.startswith(PEERS)]
        if self.size.compared:
            entries = [entry for entry in entries if entry.name in self.size.compared]
        found = []
        for each in all_compared(entries, self.data, self.device, time.perf_counter() + 0.35 * self.left):
            found.append(each)
            said = each.get("error") or f"loss differs by {each['loss']:.1e}, a sample by {each['grey']:.2f} levels"
            print(f"  {each['model']}: {said} ({each['seconds']:.1f} s)", flush=True)
        return found

    def metrics(self) -> list[dict[str, Any]]:
        """Compare every standard metric's value and time with those on the CPU."""
        source = self.registry.get("extractors", self.track.extractor).thing
        metrics = find_metrics(self.track.metrics, self.registry)
        found = []
        for n in self.size.samples:
            pixels = torch.from_numpy(self.data.train.images).repeat(1 + n // len(self.data.train.images), 1, 1, 1)[:n]
            pixels = pixels.float() + 20 * torch.randn(pixels.shape, generator=torch.Generator().manual_seed(0))
            pixels = pixels.clamp(0, 255).to(torch.uint8)
            values, seconds = {}, {}
            for device in dict.fromkeys((torch.device("cpu"), self.device)):
                evaluator = Evaluator(
                    self.data, source.load(device, None), source.identity(None), metrics, oracle=True, device=device,
                )  # fmt: skip
                schedule = Classifier(self.track.classifier_steps, 0, 1)
                images = pixels.to(device)
                evaluator.score(images[:100], classifier=schedule)  # what is computed once
                start = time.perf_counter()
                values[device.type] = {
                    name: score.value for name, score in evaluator.score(images, classifier=schedule).scores.items()
                }
                seconds[device.type] = time.perf_counter() - start
            here = values[self.device.type]
            differs = {name: abs(here[name] - value) / max(1.0, abs(value)) for name, value in values["cpu"].items()}
            worst = max(differs, key=lambda name: differs[name])
            print(f"  n = {n:,}: {seconds}; differs most: {worst}, by {differs[worst]:.1e}", flush=True)
            found.append({"n": n, "seconds": seconds, "differs": differs})
        return found

    def resume(self) -> dict[str, Any]:
        """Kill a run in training, go on, and compare its samples with those of a run that nothing disturbed."""
        model = self.size.models[0]
        words = ("--plugins", model, "--seeds", "1", "--budget", self.size.budget, "--checkpoint-every", "0")
        self.command("whole", *words)
        line = [sys.executable, "-m", "ganbench", "run", "--track", self.size.track, "--device", str(self.device)]
        process = subprocess.Popen(
            [*line, "--runs", str(self.folder / "killed"), "--quiet", *words], cwd=self.folder,
            start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        while process.poll() is None and not list(self.folder.glob(f"killed/*/{LATEST}")) and self.left > 0:
            time.sleep(0.005)
        with contextlib.suppress(ProcessLookupError):  # it was done before
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        self.command("killed", *words)
        (whole,), (killed,) = self.records("whole"), self.records("killed")
        same = whole.samples == killed.samples
        print(f"  resumed at {killed.resumed} images; samples are {'the same' if same else 'others'}", flush=True)
        return {"model": model, "resumed": list(killed.resumed), "same_samples": same, "status": killed.status.value}

    def out_of_memory(self) -> dict[str, Any]:
        """Train a model that is larger than any memory, beside one that is not."""
        Path(self.folder / "greedy.py").write_text(GREEDY)
        words = ("--plugins", f"./greedy.py:Greedy,{self.size.models[-1]}", "--seeds", "1", "--budget", "1kimg")
        ended = self.command("memory", *words)
        found = {each.spec.model_info.name: f"{each.status.value}: {each.reason}" for each in self.records("memory")}
        print(f"  exit status {ended.returncode}; {found}", flush=True)
        return {"status": ended.returncode, "rows": found}

    def loops(self) -> list[dict[str, Any]]:
        """Measure images per second of a plain loop and of ours, in turn, three times each."""
        found = []
        for name in self.size.models:
            speeds: dict[str, list[float]] = {"plain": [], "ganbench": []}
            for turn in range(4):
                for side in ("plain", "ganbench") if turn % 2 else ("ganbench", "plain"):
                    speed = self._speed(self.entry(name).thing, side)
                    if turn:  # the first one compiles kernels
                        speeds[side].append(speed)
            ratio = statistics.median(a / b for a, b in zip(speeds["ganbench"], speeds["plain"], strict=True))
            print(f"  {name}: {statistics.median(speeds['ganbench']):,.0f} images/s, {ratio:.3f} of a plain loop")
            found.append({"model": name, **speeds, "ratio": ratio})
        return found

    def _speed(self, kind: type[Model], side: str) -> float:
        seed_everything(0)
        data = self.data
        with self.device:
            model = kind(DataSpec(data.shape, data.classes, data.name, len(data.train.images)), kind.Config())
        model.to(self.device).train()
        pixels = torch.from_numpy(data.train.images).to(self.device)
        size, steps, timer = model.config.batch_size, self.size.steps, PhaseTimer(self.device)
        with timer.phase("train"):
            if side == "ganbench":
                Loop(model, pixels, None, Budget(steps=steps), timer, seed=0).run()
            else:
                images, done = pixels.float().div(127.5).sub(1), 0
                while done < steps:
                    order = torch.randperm(len(images), device=self.device)
                    for first in range(0, len(images) - size + 1, size):
                        model.step(Batch(images[order[first : first + size]], None))
                        done += 1
                        if done == steps:
                            break
        return steps * size / timer.seconds("train")

    def side_by_side(self) -> list[dict[str, Any]]:
        """Measure images per second of so many runs at once on the device, and how busy it was."""
        found = []
        for name in self.size.models:
            for jobs in self.size.side_by_side:
                if self.left < 120 and found:
                    print(f"  {name}, {jobs} at once: not reached", flush=True)
                    continue
                runs = f"side-{name}-{jobs}"
                words = ("--plugins", name, "--seeds", str(jobs), "--jobs", str(jobs), "--budget", self.size.budget)
                start = time.perf_counter()
                with Utilisation(self.device) as busy:
                    self.command(runs, *words)
                seconds, records = time.perf_counter() - start, self.records(runs)
                speed = sum(each.images_per_second for each in records)
                print(f"  {name}, {jobs} at once: {speed:,.0f} images/s in training; {seconds:.0f} s; {busy.said()}")
                found.append(
                    {"model": name, "jobs": jobs, "images_per_second": speed, "seconds": seconds, **busy.found}
                )
        return found

    def quality(self) -> list[dict[str, Any]]:
        """Train the models on the track as it is, in fp32 and in bf16, and compare their FID."""
        found = []
        for precision in ("fp32", "bf16"):
            runs = f"quality-{precision}"
            words = ("--plugins", ",".join(self.size.models), "--seeds", str(self.size.seeds), "--precision", precision)
            try:
                self.command(runs, *words, "--jobs", "4", timeout=self.left - 5)
            except subprocess.TimeoutExpired:
                print(f"  {precision}: not reached: the time was up", flush=True)
                continue
            board = ganbench.leaderboard(
                self.folder / runs, track=self.size.track, precision=precision, published=None
            )  # fmt: skip
            for row in board[board["model"].isin(self.size.models)].itertuples():
                line = {"precision": precision, "model": row.model, "fid": row.fid}
                line |= {name: getattr(row, name) for name in ("fid_low", "fid_high") if hasattr(row, name)}
                print(f"  {line}", flush=True)
                found.append(line)
        return found


class Utilisation:
    """How busy a GPU is while something runs, as ``nvidia-smi`` says; nothing on the CPU."""

    def __init__(self, device: torch.device) -> None:
        self._device, self.found = device, dict[str, float]()
        self._stop, self._seen = threading.Event(), list[tuple[float, float]]()

    def __enter__(self) -> Utilisation:
        if self._device.type == "cuda":
            self._thread = threading.Thread(target=self._look, daemon=True)
            self._thread.start()
        return self

    def _look(self) -> None:
        line = ["nvidia-smi", "--query-gpu=utilization.gpu,memory.used", "--format=csv,noheader,nounits"]
        line += ["-i", str(self._device.index or 0)]
        while not self._stop.wait(0.5):
            text = subprocess.run(line, capture_output=True, text=True).stdout.strip()
            if text:
                busy, memory = text.split(",")
                self._seen.append((float(busy), float(memory)))

    def __exit__(self, *error: object) -> None:
        if self._device.type == "cuda":
            self._stop.set()
            self._thread.join()
        if self._seen:
            busy, memory = zip(*self._seen, strict=True)
            self.found = {"busy_percent": statistics.median(busy), "memory_mib": max(memory)}

    def said(self) -> str:
        return "; ".join(f"{name} {value:.0f}" for name, value in self.found.items()) or "no GPU to look at"


PARTS = ("models", "metrics", "resume", "out_of_memory", "loops", "side_by_side", "quality")


def measured(bench: Bench, out: Path | None, parts: list[str]) -> dict[str, Any]:
    """Do the parts in turn; one that fails says so, and the others follow."""
    found: dict[str, Any] = {"provenance": provenance(bench.device, "fp32", sys.argv), "track": bench.size.track}
    for part in parts:
        print(f"{part}:", flush=True)
        start, act = time.perf_counter(), getattr(bench, part)
        if bench.left < 10:
            found[part] = {"error": "not reached: the time was up"}
        else:
            found[part] = attempted(act)
        print(f"  ({time.perf_counter() - start:.0f} s)", flush=True)
        if out is not None:
            out.write_text(json.dumps(found, indent=1) + "\n")
    return found


def attempted(act: Callable[[], Any]) -> Any:
    try:
        return act()
    except Exception as error:
        said = f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
        print(f"  failed: {said}", flush=True)
        return {"error": said}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda:0")
    parser.add_argument("--limit", type=float, default=520.0, help="seconds")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--parts", default=",".join(PARTS))
    parser.add_argument("--smoke", action="store_true")
    asked = parser.parse_args()
    deadline = time.perf_counter() + asked.limit
    use_ieee_float32()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(torch.device(asked.device), SMOKE if asked.smoke else WHOLE, deadline, Path(folder))
        found = measured(bench, asked.out, asked.parts.split(","))
    return int(any(isinstance(each, dict) and "error" in each for each in found.values()))


if __name__ == "__main__":
    sys.exit(main())
