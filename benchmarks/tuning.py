"""What was tried to choose hyper-parameters: ``python benchmarks/tuning.py`` writes docs/tuning.md.

Nothing is trained here: figures are read from ``leaderboards/tuning/TRACK.json``, which `ganbench tune` wrote.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ganbench.experiment.settings_file import ModelSettings, Settings, read_settings
from ganbench.model import Model
from ganbench.registry.builtins import discover
from ganbench.search_space import Choice, LogUniform, Space, search_space
from ganbench.training.hyperparameters import make_config

ROOT = Path(__file__).parents[1]
TUNING = ROOT / "leaderboards" / "tuning"
PAGE = ROOT / "docs" / "tuning.md"
HEAD = """# How the defaults are chosen

Written by `python benchmarks/tuning.py` from what `ganbench tune` tried. Every model is given the same number of
settings, its former defaults first, each trained once; samples are compared with the validation split. No image of the
test split is seen, and no seed that boards report. The best of a few runs with one seed is partly luck, so
the values here tend to be lower than those of the boards, and only the boards' count.

"""


def written(space: Space) -> str:
    """Return a space as people write it."""
    if isinstance(space, Choice):
        return " or ".join(map(str, space.values))
    return f"{space.low:g} to {space.high:g}{' (logarithmic)' if isinstance(space, LogUniform) else ''}"


def tried_of(model: type[Model], found: ModelSettings) -> str:
    """Return in a sentence what was tried of a model."""
    spaces = ", ".join(f"{name} of {written(space)}" for name, space in search_space(model.Config).items())
    return f"{len(found.tried)} settings over {spaces}"


def is_default(model: type[Model], params: dict[str, Any]) -> bool:
    return bool(make_config(model, params) == model.Config())


def page(settings: Settings, models: dict[str, type[Model]]) -> Iterator[str]:
    seconds = sum(each.seconds for found in settings.models.values() for each in found.tried)
    runs = sum(len(found.tried) for found in settings.models.values())
    seeds = ", ".join(map(str, settings.seeds))
    yield f"## {settings.track}"
    yield ""
    yield (
        f"{settings.metric.upper()} after {settings.budget}, seed {seeds}: {runs:,} runs of {len(settings.models)} "
        f"models, {seconds / 3600:.1f} hours of training on one core each."
    )
    counts = {len(found.tried) for found in settings.models.values()}
    if len(counts) > 1:
        yield ""
        yield (
            f"**The search is not finished**: models have had {min(counts)} to {max(counts)} runs, so nothing here is "
            "a default yet. `ganbench tune` goes on from the journal beside the settings file."
        )
    yield ""
    yield "| model | runs | failed | first | best | chosen | searched |"
    yield "|---|---|---|---|---|---|---|"
    for name, found in settings.models.items():
        model = models[name.partition("[")[0]]
        first = found.tried[0].value if found.tried else None
        best = found.best.value if found.best else None
        values = [f"{value:.1f}" if value is not None else "failed" for value in (first, best)]
        chosen = ", ".join(f"{key}={value}" for key, value in found.params.items())
        spaces = "; ".join(f"{key}: {written(space)}" for key, space in search_space(model.Config).items())
        failed = sum(each.value is None for each in found.tried)
        now = "" if is_default(model, found.params) else " (not its defaults)"
        yield f"| `{name}` | {len(found.tried)} | {failed} | {' | '.join(values)} | {chosen}{now} | {spaces} |"
    yield ""
    yield f"    ganbench tune --plugins all --runs-each {max(len(each.tried) for each in settings.models.values())} --track {settings.track}"  # noqa: E501
    yield ""


def main() -> None:
    models = {entry.name: entry.thing for entry in discover().all("models")}
    lines = [line for path in sorted(TUNING.glob("*.json")) for line in page(read_settings(path), models)]
    PAGE.write_text(HEAD + "\n".join(lines))
    print(PAGE)


if __name__ == "__main__":
    main()
