"""Runs of a bundle that was verified, merged into a store, with a file beside each that says how far it was checked."""

from __future__ import annotations

import shutil

from ganbench.errors import RequestError
from ganbench.store.layout import RUN, SAMPLES_PICTURE, SCORES, SURFACES, TRAINING_PICTURE
from ganbench.store.run_record import RunRecord
from ganbench.store.store import Store
from ganbench.store.verification import Checked, Verification, read_checked
from ganbench.submission.manifest import RUNS
from ganbench.submission.rescore import rescored_store
from ganbench.submission.verify import Verified
from ganbench.submission.workplace import Workplace
from ganbench.util.atomic_io import sha256_of

CHECKED = {
    "keys": Checked.CLAIMED, "rescore": Checked.RESCORED, "resample": Checked.RESCORED, "retrain": Checked.REPRODUCED,
}  # fmt: skip
"""What a row says of a bundle that was verified up to a level."""


def accept(work: Workplace, result: Verified, store: Store) -> list[str]:
    """Copy the runs into a store, and return their keys; scores and pictures are those made here, where there are any.

    Raises `RequestError`, and copies nothing, where the store has another run of that key, where its label is that of
    another model there, or where a file has changed since it was verified.
    """
    if not result.verified:
        raise ValueError("a bundle that was not verified")
    checked = CHECKED[result.level]
    for record in work.records:
        _check(record, work, store)
    for record in work.records:
        source, target = work.store.folder(record.key), store.folder(record.key)
        before = read_checked(target) if target.exists() else None
        new = not (target / RUN).exists()
        shutil.copytree(source, target, dirs_exist_ok=True)
        if checked is not Checked.CLAIMED:
            here = rescored_store(work).folder(record.key)
            for name in (SAMPLES_PICTURE, TRAINING_PICTURE, SURFACES):
                (target / name).unlink(missing_ok=True)  # whoever sent it drew it
                if (here / name).is_file():
                    shutil.copyfile(here / name, target / name)
            for path in sorted((here / SCORES).glob("*.json")):
                shutil.copyfile(path, target / SCORES / path.name)
        if new or (before is not None and list(Checked).index(before) <= list(Checked).index(checked)):
            Verification(
                checked=checked, record_sha256=sha256_of(target / RUN), bundle_sha256=result.sha256,
                compared=[step.what for step in result.steps], network=result.network, date=result.date,
                ganbench=result.ganbench, command=result.command,
            ).write(target)  # fmt: skip
    return [record.key for record in work.records]


def _check(record: RunRecord, work: Workplace, store: Store) -> None:
    source, target = work.store.folder(record.key), store.folder(record.key)
    for path in source.rglob("*"):
        name = f"{RUNS}/{record.key}/{path.relative_to(source)}"
        if path.is_file() and sha256_of(path) != work.manifest.members[name].sha256:
            raise RequestError(f"{path}: has changed since it was verified: verify again")
    there = store.read(record.key)
    if there is not None and (there.samples, there.files) != (record.samples, record.files):
        raise RequestError(f"{target}: is another run of that key: remove it first with `ganbench remove`")
    info, distribution = record.spec.model_info, record.spec.model_info.distribution.partition(" ")[0]
    for stored in store.records():
        other = stored.record.spec.model_info if stored.record else None
        if other and other.label == info.label and other.distribution.partition(" ")[0] != distribution:
            raise RequestError(
                f"{store.root}: has runs of {info.label!r} of {other.distribution}, and these are of "
                f"{info.distribution}: one of them must be called otherwise"
            )
