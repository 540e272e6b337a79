"""What a new package is called, everywhere that it has a name; names that would not work are refused in one line."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import keyword
import re
import sys
from dataclasses import dataclass

from ganbench.errors import RequestError
from ganbench.registry.catalog import catalog
from ganbench.registry.item_checks import KINDS, RESERVED

DISTRIBUTION = re.compile(r"[A-Za-z0-9]|[A-Za-z0-9][A-Za-z0-9._-]*[A-Za-z0-9]")
"""What PyPI takes; https://packaging.python.org/specifications/name-normalization."""
KIND_OF = {"model": "models", "metric": "metrics", "dataset": "datasets", "extractor": "extractors", "track": "tracks"}
"""What ``ganbench new`` makes, and its key in `KINDS`."""
WORDS = ("all", "standard")
"""Words that stand for several things where names are listed."""
COMPANIONS = ("_low", "_high", "_sd", "_se")
"""How names of columns beside a metric's own end."""


@dataclass(frozen=True)
class Names:
    """The names of a package that brings one thing: `what` is a key of `KIND_OF`.

    `distribution` is what pip installs, `package` what Python imports, `item` what ganbench registers; `class_name` is
    a model's class, `constant` the variable that holds another thing.
    """

    what: str
    distribution: str

    @property
    def package(self) -> str:
        return re.sub(r"[-.]+", "_", self.distribution).lower()

    @property
    def item(self) -> str:
        return self.package if self.what == "metric" else self.distribution

    @property
    def words(self) -> list[str]:
        return [word for word in re.split(r"[-._]+", self.distribution) if word]

    @property
    def class_name(self) -> str:
        return "".join(word[0].upper() + word[1:] for word in self.words)

    @property
    def constant(self) -> str:
        return self.package.upper()

    def check(self) -> None:
        """Raise `RequestError` where pip, Python or ganbench would not take a name, or something has it already."""
        name, package, called = self.distribution, self.package, KINDS[KIND_OF[self.what]]
        if not DISTRIBUTION.fullmatch(name):
            raise RequestError(
                f"name {name!r}: use letters, digits, '-', '_' and '.', with a letter or digit at both ends"
            )
        if not package.isidentifier() or package.startswith("_"):
            raise RequestError(f"name {name!r}: Python cannot import {package!r}: begin with a letter")
        if keyword.iskeyword(package) or keyword.issoftkeyword(package):
            raise RequestError(f"name {name!r}: {package!r} is a word of Python's: choose another")
        if package in sys.stdlib_module_names or importlib.util.find_spec(package) is not None:
            raise RequestError(f"name {name!r}: there is a module {package!r} already: choose another")
        if _normal(name) in (_normal(each.name) for each in importlib.metadata.distributions()):
            raise RequestError(f"name {name!r}: a package of that name is installed: choose another")
        if self.what == "metric" and package.endswith(COMPANIONS):
            raise RequestError(f"name {name!r}: a metric's name does not end in {', '.join(COMPANIONS)}")
        taken = [*WORDS, *(RESERVED if self.what == "model" else ())]
        if _normal(name) in taken:
            raise RequestError(f"{called} name {name!r} is reserved: choose another")
        for each in catalog()[KIND_OF[self.what]]:
            if _normal(each["name"]) == _normal(name):
                raise RequestError(f"{called} name {each['name']!r} is taken by {each['origin']}: choose another")


def _normal(name: str) -> str:
    """Return a name as PyPI compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()
