"""docs/gpu.md from what `gpu.py` measured: ``python benchmarks/gpu_page.py FILE``."""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parents[1] / "docs" / "gpu.md"
HEAD = """# On a GPU

Written by `python benchmarks/gpu_page.py FILE` from what `python benchmarks/gpu.py --out FILE` measured, once, on
{device} (driver {driver}, torch {torch}, CUDA {cuda}), {cores} CPU cores.
"""


def table(names: Sequence[str], rows: Sequence[Sequence[object]]) -> Iterator[str]:
    yield f"| {' | '.join(names)} |"
    yield "|" + "---|" * len(names)
    for row in rows:
        yield f"| {' | '.join(str(cell) for cell in row)} |"
    yield ""


def lines(found: dict[str, Any]) -> Iterator[str]:
    """Yield the page, one part after the other; what was not reached says so."""
    yield HEAD.format(**found["provenance"])
    for title, part, written in PARTS:
        yield f"## {title}\n"
        if part not in found or "error" in found[part]:
            yield f"Not measured: {found.get(part, {}).get('error', 'this part was not asked for')}.\n"
        else:
            yield from written(found[part])


def models(found: list[dict[str, Any]]) -> Iterator[str]:
    yield (
        "Each model makes three steps and draws 16 samples from the same weights and random numbers on both devices. A "
        "loss differs relatively, below 1 absolutely; a sample by its mean level of grey, of 256.\n"
    )

    def cells(each: dict[str, Any]) -> list[str]:
        return ["–", each["error"]] if "error" in each else [f"{each['loss']:.1e}", f"{each['grey']:.2f}"]

    rows = [[f"`{each['model']}`", *cells(each)] for each in found]
    yield from table(("model", "largest difference of a loss", "of a sample"), rows)


def metrics(found: list[dict[str, Any]]) -> Iterator[str]:
    for each in found:
        yield f"n = {each['n']:,}: {', '.join(f'{kind} {spent:.2f} s' for kind, spent in each['seconds'].items())}.\n"
        yield from table(
            ("metric", "differs by"), [[name, f"{value:.1e}"] for name, value in each["differs"].items()]
        )  # fmt: skip


def resume(found: dict[str, Any]) -> Iterator[str]:
    samples = "the same as" if found["same_samples"] else "others than"
    resumed = ", ".join(f"{images:,}" for images in found["resumed"]) or "none"
    yield (
        f"`{found['model']}`, killed in training, went on at image {resumed} and ended {found['status']}; its samples "
        f"are {samples} those of a run that nothing disturbed.\n"
    )


def out_of_memory(found: dict[str, Any]) -> Iterator[str]:
    yield f"Exit status {found['status']}.\n"
    yield from table(("model", "its row"), list(found["rows"].items()))


def loops(found: list[dict[str, Any]]) -> Iterator[str]:
    rows = []
    for each in found:
        speeds = (f"{statistics.median(each[side]):,.0f}" for side in ("plain", "ganbench"))
        rows.append([f"`{each['model']}`", *speeds, f"{each['ratio']:.3f}"])
    yield from table(("model", "images/s, plain loop", "ours", "ratio"), rows)


def side_by_side(found: list[dict[str, Any]]) -> Iterator[str]:
    rows = [
        [
            f"`{each['model']}`", each["jobs"], f"{each['images_per_second']:,.0f}", f"{each['seconds']:.0f}",
            each.get("busy_percent", "–"), each.get("memory_mib", "–"),
        ]
        for each in found
    ]  # fmt: skip
    yield from table(("model", "runs at once", "images/s, all", "wall s", "GPU busy %", "MiB at most"), rows)


def quality(found: list[dict[str, Any]]) -> Iterator[str]:
    rows = [
        [f"`{each['model']}`", each["precision"], f"{each['fid']:.1f} [{each['fid_low']:.1f}, {each['fid_high']:.1f}]"]
        for each in found
    ]  # fmt: skip
    yield from table(("model", "precision", "FID"), rows)


PARTS = (
    ("The same as on the CPU?", "models", models),
    ("Metrics", "metrics", metrics),
    ("Killed and gone on", "resume", resume),
    ("Out of memory", "out_of_memory", out_of_memory),
    ("Speed of the loop", "loops", loops),
    ("Runs side by side", "side_by_side", side_by_side),
    ("Quality in fp32 and bf16", "quality", quality),
)


if __name__ == "__main__":
    PAGE.write_text("\n".join(lines(json.loads(Path(sys.argv[1]).read_text()))))
    print(PAGE)
