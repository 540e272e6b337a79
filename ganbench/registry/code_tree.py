"""One source file as the hash of a model sees it: what its code says, what it imports, and which assets it declares.

Docstrings, comments, blank lines and line numbers are no part of that. The text that is hashed is written here and not
by `ast.dump`, whose output changes from one version of Python to the next.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

_SILENT = {"kind", "type_comment", "type_ignores"}
"""Fields of nodes that say nothing of what the code does."""


@dataclass(frozen=True)
class Import:
    """One import statement: ``from ..base import names`` has level 2; ``import base`` has level 0 and no names."""

    level: int
    base: str
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class ClassCode:
    """A class statement: its bases as they are written, and its `assets` (None: not declared)."""

    bases: tuple[str, ...]
    assets: tuple[str, ...] | None
    literal: bool = True
    """False where `assets` is declared by an expression that is no plain tuple of texts."""


@dataclass(frozen=True)
class Code:
    """A source file: the SHA-256 of its code, its imports, its classes by qualified name."""

    sha256: bytes
    imports: tuple[Import, ...] = ()
    classes: dict[str, ClassCode] = field(default_factory=dict)
    assigns_assets: bool = False
    """Whether anything called `assets` is assigned anywhere in it."""


def read_code(path: Path) -> Code:
    """Read a module's file; of one that is no Python source, such as a compiled module, the bytes count."""
    status = path.stat()
    return _read(path, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=4096)
def _read(path: Path, _mtime: int, _size: int) -> Code:
    content = path.read_bytes()
    if path.suffix != ".py":
        return Code(hashlib.sha256(content).digest())
    try:
        tree = ast.parse(content)
        text = "".join(_text(tree))
    except (SyntaxError, ValueError, RecursionError):
        return Code(hashlib.sha256(content).digest())
    nodes = list(ast.walk(tree))
    return Code(
        hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest(),
        tuple(found for node in nodes for found in _imports(node)),
        dict(_classes(tree, "")),
        any(_stores_assets(node) for node in nodes),
    )


def _text(value: Any) -> Iterator[str]:
    """Write a syntax tree as text.

    Strings that stand alone as statements are left out, docstrings being such, and so is what ``Annotated[type, ...]``
    adds to its type: a search space decides what is tried, not what a model does.
    """
    if isinstance(value, ast.Subscript) and _is_annotated(value):
        value = value.slice.elts[0]  # type: ignore[attr-defined]
    if isinstance(value, ast.AST):
        yield type(value).__name__ + "("
        for name in value._fields:
            child = getattr(value, name, None)
            if child is None or child == [] or name in _SILENT:
                continue  # fields that are empty come and go with Python's versions
            yield name + "="
            yield from _text(child)
        yield ")"
    elif isinstance(value, list):
        yield "["
        for child in value:
            if not _is_bare_text(child):
                yield from _text(child)
                yield ","
        yield "]"
    else:
        yield repr(value)


def _is_annotated(node: ast.Subscript) -> bool:
    name = getattr(node.value, "attr", getattr(node.value, "id", None))
    return name == "Annotated" and isinstance(node.slice, ast.Tuple)


def _is_bare_text(node: Any) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _imports(node: ast.AST) -> Iterator[Import]:
    """Yield what a statement imports, also ``importlib.import_module("name")`` where the name is written out."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield Import(0, alias.name)
    elif isinstance(node, ast.ImportFrom):
        yield Import(node.level, node.module or "", tuple(alias.name for alias in node.names))
    elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        name = node.args[0].value
        if called in ("import_module", "__import__") and isinstance(name, str):
            base = name.lstrip(".")
            yield Import(len(name) - len(base), base)


def _classes(node: ast.AST, prefix: str) -> Iterator[tuple[str, ClassCode]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef):
            declared = [statement for statement in child.body if _stores_assets(statement)]
            assets = _literal(declared[-1]) if declared else None
            bases = tuple(ast.unparse(base) for base in child.bases)
            yield prefix + child.name, ClassCode(bases, assets, literal=not declared or assets is not None)
            yield from _classes(child, f"{prefix}{child.name}.")


def _stores_assets(node: ast.AST) -> bool:
    if isinstance(node, ast.Assign):
        targets = [part for target in node.targets for part in ast.walk(target)]
    elif isinstance(node, ast.AnnAssign | ast.AugAssign) and node.value is not None:
        targets = [node.target]
    else:
        return False
    return any("assets" in (getattr(target, "id", ""), getattr(target, "attr", "")) for target in targets)


def _literal(statement: ast.stmt) -> tuple[str, ...] | None:
    try:
        value = ast.literal_eval(statement.value)  # type: ignore[attr-defined]
    except ValueError:
        return None
    plain = isinstance(statement, ast.Assign | ast.AnnAssign) and isinstance(value, tuple | list)
    return tuple(value) if plain and all(isinstance(item, str) for item in value) else None
