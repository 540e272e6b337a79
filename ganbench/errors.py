"""Requests that cannot be met, said in one line: what, where and what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class RequestError(Exception):
    """The request itself is wrong; the command line prints the message and exits with status 2."""


class DivergedError(Exception):
    """A loss or a sample is NaN or infinite; the run ends as ``diverged``."""


class EngineGone(BaseException):
    """The engine that started this worker is gone: nobody hears what it says, and it ends without a record."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return `` (did you mean 'x'?)`` for the nearest known name, else the list of what there is."""
    known = sorted(known)
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    if near:
        return f" (did you mean {near[0]!r}?)"
    return f" (there is: {', '.join(known)})" if known else ""
