"""A check: one small rule with a name, and what came of it, in one line."""

from __future__ import annotations

import os
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import update_wrapper
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import torch

import ganbench
from ganbench.errors import RequestError
from ganbench.registry.item_checks import checked
from ganbench.testing.restored import restored
from ganbench.util.text import error_line, one_line


class Subject(Protocol):
    """A thing under test. `calling` names the author's code that was called last, such as ``step``."""

    name: str
    calling: str


S = TypeVar("S", bound=Subject)
_GANBENCH, _TORCH, _PYTHON = (f"{Path(str(module.__file__)).parent}{os.sep}" for module in (ganbench, torch, os))
_LONGEST = 300
"""Letters of an exception's message that are told."""


class Check(Generic[S]):
    """A rule that a thing keeps or breaks; `subject` makes what it looks at from the arguments of a call.

    Called, it raises AssertionError, in one line, where the rule is broken.
    """

    def __init__(self, subject: Callable[..., S], rule: Callable[[S], None]) -> None:
        self.subject, self.rule, self.name = subject, rule, rule.__name__
        update_wrapper(self, rule)

    def __call__(self, *arguments: Any, **named: Any) -> None:
        self.on(self.subject(*arguments, **named))

    def on(self, subject: S) -> None:
        """Apply the rule to a subject that several checks share.

        Whatever the author's code raises is an AssertionError that says which call raised it, and on which line. The
        process's global state is afterwards what it was.
        """
        subject.calling = ""
        try:
            with restored():
                self.rule(subject)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # a plugin may even call sys.exit
            ours = isinstance(error, AssertionError) and not _of_author(error)
            raise AssertionError(reason(error) if ours else _told(subject, error)) from error


def reason(error: BaseException) -> str:
    """Return what an AssertionError says; where pytest has rewritten it, what was compared follows on further lines."""
    return str(error).split("\nassert ")[0]


def _told(subject: Subject, error: BaseException) -> str:
    if isinstance(error, RequestError):  # says itself what, where and what to do
        return f"{subject.name}: {one_line(str(error))}"
    what = one_line(error_line(error), _LONGEST)
    return f"{subject.name}: {subject.calling + ' raised ' if subject.calling else ''}{what}{place(error)}"


def _of_author(error: BaseException) -> bool:
    return not _frames(error)[-1].filename.startswith(_GANBENCH)


def place(error: BaseException) -> str:
    """Say which line of the author's raised it; nothing where that cannot be told."""
    strangers = [each for each in _frames(error) if not each.filename.startswith((_GANBENCH, _TORCH))]
    # Of what an author calls, Python's own modules and other packages, the line that called it is told.
    strangers = [each for each in strangers if not _is_pythons(each.filename)] or strangers
    return f" ({Path(strangers[-1].filename).name}, line {strangers[-1].lineno})" if strangers else ""


def _is_pythons(file: str) -> bool:
    return file.startswith((_PYTHON, "<frozen ")) and "site-packages" not in file


def _frames(error: BaseException) -> list[traceback.FrameSummary]:
    return list(traceback.extract_tb(error.__traceback__))


def registrable(kind: str, thing: Any) -> Any:
    """Return a thing that may be registered as one of its kind; AssertionError says what keeps it from that."""
    try:
        return checked(kind, thing)
    except RequestError as error:
        raise AssertionError(str(error)) from error


@dataclass(frozen=True)
class Outcome:
    """What came of a check: the seconds it took, and why it failed, in one line; empty where the rule holds."""

    check: str
    seconds: float
    failure: str = ""


def outcomes(checks: Iterable[Check[S]], subject: S) -> Iterator[Outcome]:
    """Apply every check to a subject, whatever the others say."""
    for check in checks:
        start, failure = time.perf_counter(), ""
        try:
            check.on(subject)
        except AssertionError as error:
            failure = str(error)
        yield Outcome(check.name, time.perf_counter() - start, failure)


def require(checks: Iterable[Check[S]], subject: S) -> None:
    """Apply every check; raise AssertionError, one line for each reason, where rules are broken."""
    found = dict.fromkeys(outcome.failure for outcome in outcomes(checks, subject) if outcome.failure)
    if found:
        raise AssertionError("\n".join(found))
