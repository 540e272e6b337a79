"""No source file loads a pickle, or runs what it reads."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

LOADERS = {
    "pickle.load", "pickle.loads", "pickle.Unpickler", "dill.load", "cloudpickle.load", "joblib.load", "shelve.open",
    "marshal.load", "marshal.loads", "pandas.read_pickle", "pd.read_pickle", "torch.jit.load", "torch.hub.load",
    "eval", "exec", "__import__", "os.system", "yaml.load",
}  # fmt: skip
RESTRAINED = {"torch.load": ("weights_only", True), "np.load": ("allow_pickle", False)}


def dotted(node: ast.expr) -> str:
    """Return ``torch.load`` for the expression that says so; of others what can be told."""
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def loads(source: str) -> Iterator[str]:
    """Yield each call that may unpickle or run what it reads."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom):
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            yield from names & {*LOADERS, *RESTRAINED, "numpy.load"}
            continue
        if isinstance(node, ast.Import):
            renamed = {alias.name for alias in node.names if alias.asname not in (None, "np", "pd")}
            yield from renamed & {"torch", "numpy", "pickle"}
        if not isinstance(node, ast.Call):
            continue
        name = dotted(node.func).replace("numpy.", "np.")
        option, value = RESTRAINED.get(name, ("", None))
        said = {each.arg: each.value for each in node.keywords}.get(option)
        if name in LOADERS or (option and not (isinstance(said, ast.Constant) and said.value is value)):
            yield f"{name} in line {node.lineno}"


def test_no_source_file_loads_a_pickle() -> None:
    files = [path for folder in ("ganbench", "plugins") for path in (ROOT / folder).rglob("*.py")]
    assert len(files) > 100
    found = {str(path): list(loads(path.read_text())) for path in files}
    assert not {path: calls for path, calls in found.items() if calls}


@pytest.mark.parametrize(
    "source",
    [
        "import pickle\npickle.load(f)", "pickle.loads(x)", "torch.load(p)", "torch.load(p, weights_only=False)",
        "torch.load(p, weights_only=flag)", "np.load(p)", "numpy.load(p, allow_pickle=True)", "eval(x)", "exec(x)",
        "from pickle import loads", "from torch import load", "from numpy import load", "joblib.load(p)",
        "pd.read_pickle(p)", "shelve.open(p)", "marshal.loads(x)", "torch.jit.load(p)", "import torch as t",
    ],
)  # fmt: skip
def test_the_search_for_pickles_finds(source: str) -> None:
    assert list(loads(source))
