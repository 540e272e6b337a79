"""The names of the files in a run's folder, in one place.

    <key>/run.json         the record of the run, written once
          scores/*.json    what scoring protocols say of its samples, one file each, named by the protocol's key
          samples/*.npy    its samples: final.npy, and at-N.npy at the points of its curve
          checkpoint.pt    the trained model                 curve.csv     its curve as a table
          samples.png      a picture of its samples          training.png  how its samples moved, for points
          log.txt          what it printed                   lock          held by the process that is at work here
          spec.json        what was asked for                runtime.json  how it was to be trained
          resume.pt        where training stood last
          verified.json    how far a run that came in a bundle was checked (`ganbench.store.verification`)

Published runs have the same layout under ``leaderboards/<track>/runs``, without samples and checkpoints.
"""

from __future__ import annotations

from pathlib import Path

RUN = "run.json"
"""The record of a run."""
SCORES = "scores"
"""The folder of its score files, which are named by the key of their protocol."""
SPEC, RUNTIME = "spec.json", "runtime.json"
"""What was asked for, and how it is trained: written when a run starts, each time that it does."""
VERIFIED = "verified.json"
"""How far a run that came in a bundle was checked."""
CHECKPOINT = "checkpoint.pt"
"""The trained model."""
SAMPLES, FINAL = "samples", "final"
"""The folder of samples, and the name of those that the finished model drew."""
LOG = "log.txt"
"""What the run printed."""
CURVE = "curve.csv"
SURFACES = "surfaces.safetensors"
SAMPLES_PICTURE, TRAINING_PICTURE = "samples.png", "training.png"
RESERVE = ".reserve"
"""Space that is kept free for the record while the run is in work, in case the disk becomes full."""
ANSWERS = "answers"
"""The folder of what a finished checkpoint was asked."""


def answer_path(folder: Path, question: str, sha256: str) -> Path:
    """Return the file of what a run's checkpoint answered about images of this hash."""
    return folder / ANSWERS / f"{question}-{sha256[:16]}.npy"
