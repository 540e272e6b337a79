"""What a bundle says of itself: its runs, the code that trained them, and the hash and size of every member.

A bundle is a zip archive whose members are stored, not compressed: its bytes are the same wherever it is made, and no
member can be larger than the archive is. Its members are

    manifest.json           this
    lock.txt                what was installed: a requirements file, with Python and platform as comments
    code/...                the files that the models' source hashes cover; none for ganbench's own models
    runs/KEY/...            runs as they lie in a store (`ganbench.store.layout`), without logs and locks
"""

from __future__ import annotations

import re
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

MANIFEST, LOCK, CODE, RUNS = "manifest.json", "lock.txt", "code", "runs"
SAFE = re.compile(r"(?:[A-Za-z0-9_][A-Za-z0-9._+-]{0,120}/){0,12}[A-Za-z0-9_][A-Za-z0-9._+-]{0,120}")
"""How names of members read: relative, of plain letters, no part that begins with a dot."""
OF_A_RUN = re.compile(
    r"run\.json|checkpoint\.pt|curve\.csv|surfaces\.safetensors|(samples|training)\.png|"
    r"scores/[0-9a-f]{16}\.json|samples/[A-Za-z0-9-]+\.npy|answers/[a-z_]+-[0-9a-f]{16}\.(npy|txt)"
)
"""The files of a run that a bundle holds, relative to its folder."""


class Member(BaseModel):
    """A file in the bundle."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sha256: str
    size: int = Field(ge=0, description="bytes")


class ModelCode(BaseModel):
    """Where the code of one model of the bundle is. `members` is empty for ganbench's own models."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    source: str = Field(description="the source hash that its records have")
    distribution: str = Field(description="the distribution, with its version, or the file that brought it")
    module: str = Field(description="the class's module; empty where the model came from a file")
    qualified_name: str = Field(description="the class's name within its module")
    home: str = Field(default="", description="the member that defines the class")
    members: list[str] = []
    assets: list[str] = Field(default=[], description="members that the class declares as assets, in its order")
    git_commit: str = Field(default="", description="of the checkout that the code was packed from")
    git_dirty: bool = Field(default=False, description="whether that checkout had changes that were not committed")


class BundledRun(BaseModel):
    """A run of the bundle, for readers; what counts is its record."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    label: str
    seed_index: int
    status: str


class BundledTrack(BaseModel):
    """The track that the runs are of."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    budget: str
    precision: Literal["fp32", "bf16"]


class Manifest(BaseModel):
    """The content of ``manifest.json``; it holds no date, so that the same runs make the same bytes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal["ganbench bundle 1"] = "ganbench bundle 1"
    ganbench: str
    track: BundledTrack
    runs: list[BundledRun]
    code: list[ModelCode]
    members: dict[str, Member]
