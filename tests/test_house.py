"""The house: lower floors never import higher ones, and the package list is the tree."""

import ast
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FLOORS = [
    ["errors", "budget", "engine", "metric", "model", "search_space", "util"],
    ["metrics", "data", "tracks"],
    ["extractors"],
    ["registry"],
    ["store"],
    ["training", "scoring", "pictures", "boards"],
    ["engines"],
    ["testing", "authoring", "experiment", "reproduction", "report", "tuning", "submission"],
    ["api"],
    ["cli", "__main__"],
]
APART = {
    "training": {"scoring", "metrics", "extractors", "tracks", "pictures", "boards"},
    "scoring": {"training", "model", "boards"},
    "report": {"training", "scoring", "extractors", "metrics"},
}
"""Rooms of one house that must not know each other: training and scoring, for one."""
FLOOR_OF = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
FILES = sorted((ROOT / "ganbench").rglob("*.py"))


def imported(path: Path) -> list[tuple[str, bool]]:
    """Names of ganbench's modules that a file imports, and whether only type checkers see them."""
    tree = ast.parse(path.read_text())
    typing_only = {
        node
        for branch in ast.walk(tree)
        if isinstance(branch, ast.If) and "TYPE_CHECKING" in ast.unparse(branch.test)
        for node in ast.walk(branch)
    }
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("ganbench."):
            found.append((node.module, node in typing_only))
        elif isinstance(node, ast.Import):
            found += [(alias.name, node in typing_only) for alias in node.names if alias.name.startswith("ganbench.")]
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_go_down(path):
    room = path.relative_to(ROOT / "ganbench").parts[0].removesuffix(".py")
    if room == "__init__":
        pytest.skip("the public surface hands names on")
    for module, typing_only in imported(path):
        target = module.split(".")[1]
        assert typing_only or FLOOR_OF[target] <= FLOOR_OF[room], f"{room} imports {module} from a higher floor"


@pytest.mark.parametrize("room", APART)
def test_training_and_scoring_stay_apart(room):
    for path in (ROOT / "ganbench" / room).rglob("*.py"):
        for module, typing_only in imported(path):
            assert typing_only or module.split(".")[1] not in APART[room], f"{path} imports {module}"


def test_every_room_has_a_floor():
    rooms = {path.relative_to(ROOT / "ganbench").parts[0].removesuffix(".py") for path in FILES} - {"__init__"}
    assert rooms == set(FLOOR_OF)


def test_packages_are_the_tree():
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]
    folders = {".".join(path.parent.relative_to(ROOT).parts) for path in FILES if path.name == "__init__.py"}
    assert set(listed) == folders | {"ganbench_plugins"}
