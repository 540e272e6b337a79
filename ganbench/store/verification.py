"""How far a run that came in a bundle was checked: a file beside its record, which whoever accepts it writes.

A record cannot say this of itself, and a bundle holds no such file. A run without one was trained where it lies.
"""

from __future__ import annotations

import enum
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from ganbench.store.layout import RUN, VERIFIED
from ganbench.util.atomic_io import sha256_of, write_text


class Checked(enum.StrEnum):
    """How far; from the least to the most."""

    CLAIMED = "claimed"
    RESCORED = "rescored"
    REPRODUCED = "reproduced"

    @property
    def meaning(self) -> str:
        """The word, and what it says of a row."""
        return f"{self}: {_MEANINGS[self]}"


_MEANINGS = {
    Checked.CLAIMED: "others sent it and nobody has checked it; it is not ranked",
    Checked.RESCORED: "others sent it; its samples were scored here, and its training was not repeated",
    Checked.REPRODUCED: "others sent it; its code was trained here with other seeds, and agreed",
}


class Verification(BaseModel):
    """Who found what of a run, and when. `record_sha256` is of the ``run.json`` that it is about."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    checked: Checked
    record_sha256: str
    bundle_sha256: str
    compared: list[str]
    network: str
    date: str
    ganbench: str
    command: list[str]

    def write(self, folder: Path) -> None:
        """Write it into a run's folder."""
        write_text(folder / VERIFIED, self.model_dump_json(indent=1) + "\n")


def read_checked(folder: Path) -> Checked | None:
    """Return how far a run was checked, None for one that came in no bundle.

    A file that cannot be read, or that is about another record, says no more than that the run was claimed.
    """
    path = folder / VERIFIED
    if not path.exists():  # of nearly all runs
        return None
    try:
        found = Verification.model_validate_json(path.read_bytes())
        return found.checked if sha256_of(folder / RUN) == found.record_sha256 else Checked.CLAIMED
    except (OSError, ValidationError):
        return Checked.CLAIMED


def lowest(found: list[Checked | None]) -> Checked | None:
    """Return the least of several, None where none came in a bundle."""
    known = [each for each in found if each is not None]
    return min(known, key=list(Checked).index) if known else None
