"""Make what `ganbench tune` found the defaults: ``python benchmarks/defaults.py [FILE] [--write]``.

Without ``--write`` it prints what would change. A default is a literal behind a field of the model's own `Config`; one
that is inherited becomes a field of its own. A model whose code is no longer what was tuned is left alone, and named.
"""

from __future__ import annotations

import ast
import dataclasses
import importlib
import inspect
import sys
from pathlib import Path
from typing import Any

from ganbench.experiment.settings_file import read_settings
from ganbench.model import Model
from ganbench.registry.builtins import discover
from ganbench.registry.source_hash import source_hash

IMPORT = "from dataclasses import dataclass\n"
FILE = Path(__file__).parents[1] / "leaderboards" / "tuning" / "mnist5k-quick.json"


def differing(model: type[Model], params: dict[str, Any]) -> dict[str, Any]:
    """Return the hyper-parameters that differ from the defaults."""
    defaults = {field.name: field.default for field in dataclasses.fields(model.Config)}
    return {name: value for name, value in params.items() if defaults[name] != value}


def to_write(model: type[Model], params: dict[str, Any], others: dict[type[Model], dict[str, Any]]) -> dict[str, Any]:
    """Return the hyper-parameters that differ, and those that are inherited from a model whose own will change."""
    own = model.__dict__["Config"].__dict__["__annotations__"] if "Config" in model.__dict__ else {}
    moved = {name for base in model.__mro__[1:] if base in others for name in others[base] if name not in own}
    return differing(model, params) | {name: params[name] for name in params if name in moved}


def rewritten(source: str, model: type[Model], params: dict[str, Any]) -> str:
    """Return a module's source with other defaults of one model; nothing else of it changes."""
    lines = source.splitlines(keepends=True)
    kind = next(node for node in ast.walk(ast.parse(source)) if _is_class(node, model.__name__))
    configs = [node for node in kind.body if _is_class(node, "Config")]  # type: ignore[attr-defined]
    if not configs:
        base = next(each.__name__ for each in model.__mro__[1:] if "Config" in each.__dict__)
        body = "".join(f"        {name}: {type(value).__name__} = {value!r}\n" for name, value in params.items())
        at = kind.body[0].end_lineno  # type: ignore[attr-defined]
        lines.insert(at, f"\n    @dataclass(frozen=True)\n    class Config({base}.Config):\n{body}")
        found = "".join(lines)
        future = "from __future__ import annotations\n"
        return found if "import dataclass\n" in found else found.replace(future, f"{future}\n{IMPORT}", 1)
    config = configs[0]
    fields = {node.target.id: node for node in config.body if isinstance(node, ast.AnnAssign)}  # type: ignore[attr-defined]
    for name, value in params.items():
        if name in fields:
            node = fields[name].value
            row = node.lineno - 1
            lines[row] = lines[row][: node.col_offset] + repr(value) + lines[row][node.end_col_offset :]
        else:
            first = config.body[0].lineno - 1  # type: ignore[attr-defined]
            lines[first] = f"        {name}: {type(value).__name__} = {value!r}\n" + lines[first]
    return "".join(lines)


def _is_class(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.ClassDef) and node.name == name


def main() -> None:
    words = [word for word in sys.argv[1:] if word != "--write"]
    settings = read_settings(Path(words[0]) if words else FILE)
    models = {entry.name: entry.thing for entry in discover().all("models")}
    others = {models[name]: differing(models[name], found.params) for name, found in settings.models.items()}
    sources: dict[Path, str] = {}
    for name, found in settings.models.items():
        model = models[name]
        params = to_write(model, found.params, others)
        if not params:
            continue
        if source_hash(model) != found.source:
            print(f"{name}: left alone: its code is not what was tuned")
            continue
        path = Path(inspect.getfile(importlib.import_module(model.__module__)))
        sources[path] = rewritten(sources.get(path, path.read_text()), model, params)
        print(f"{name}: {', '.join(f'{key}={value}' for key, value in params.items())}")
    if "--write" in sys.argv:
        for path, source in sources.items():
            path.write_text(source)


if __name__ == "__main__":
    main()
