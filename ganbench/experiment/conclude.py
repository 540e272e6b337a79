"""From how a training worker ended to the run's record: the one that it wrote, or one that says why it could not.

A worker's own record says how long it trained, by a clock that its model can reach. The engine's clock says it, too.
"""

from __future__ import annotations

import contextlib

from ganbench.engine import Ended
from ganbench.engines.exit_status import of_exit
from ganbench.errors import RequestError
from ganbench.store.layout import RESERVE, RUN
from ganbench.store.locks import locked
from ganbench.store.provenance import provenance
from ganbench.store.run_record import CurvePoint, RunRecord, RunStatus, ended, read_run
from ganbench.store.run_spec import TrainJob
from ganbench.store.store import set_aside
from ganbench.util.atomic_io import sha256_of
from ganbench.util.exit_codes import BUSY

BILLED = ("building", "training", "finishing")
"""Phases in which the worker's clock counts, as ``train`` and, in between, ``checkpoint``."""
SLOW, LEAST_SLOW = 1.25, 2.0
"""How much more the engine may count than the worker: a quarter, and seconds that news may be under way."""


def conclude(job: TrainJob, end: Ended) -> RunRecord | None:
    """Return the record of a run whose worker has ended; None where another command has taken it over."""
    if end.code == BUSY:
        return None
    if (record := _written(job)) is not None:  # no lock is needed to read, and another command may have it by now
        return _flagged(job, record, end)
    job.folder.mkdir(parents=True, exist_ok=True)  # which the worker may not have come to
    with locked(job.folder) as mine:
        if not mine:
            return None
        if (record := _written(job)) is not None:
            return record
        path = job.folder / RUN
        if path.exists():
            set_aside(job.folder)
        if end.stalled:
            status, reason = RunStatus.TIMEOUT, end.stalled
        elif end.lost:
            status, reason = RunStatus.KILLED, end.lost
        else:
            kind, reason = of_exit(end.code, end.log, out_of_memory=end.out_of_memory)
            status = RunStatus(kind)
        made = end.last.data.get("provenance") or provenance(None, job.spec.training.precision, job.runtime.command)
        curve = [CurvePoint.model_validate(point) for point in end.last.data.get("curve", [])]
        record = ended(
            job.spec, status, reason, log=end.log, curve=curve, images=end.last.images,
            seconds={"train": end.last.seconds}, provenance=made,
        )  # fmt: skip
        try:
            record.write(path, spare=job.folder / RESERVE)
        except OSError as error:
            why = f"{reason}; its record could not be written ({error.strerror})"
            return record.model_copy(update={"reason": why})
        return record


def _flagged(job: TrainJob, record: RunRecord, end: Ended) -> RunRecord:
    """Return the record, with a flag written into it where the engine saw the worker train for longer than it says."""
    # A run that went on from a checkpoint is not billed for building its model once more.
    seen = sum(end.spent.get(phase, 0.0) for phase in BILLED if phase != "building" or not record.resumed)
    said = sum(record.seconds.get(phase, 0.0) for phase in ("train", "checkpoint"))
    if seen <= SLOW * said + LEAST_SLOW:
        return record
    flag = f"its clock was slow: it trained for {seen:.3g} s by the engine's clock, for {said:.3g} s by its own"
    flagged = record.model_copy(update={"flags": [*record.flags, flag]})
    with locked(job.folder) as mine:
        if mine and _written(job) == record:
            flagged.write(job.folder / RUN)
    return flagged


def _written(job: TrainJob) -> RunRecord | None:
    """Return the record that was written for a job, None where there is none that can be read but the one before."""
    path = job.folder / RUN
    with contextlib.suppress(RequestError, OSError):
        record = read_run(path)
        if sha256_of(path) != job.replaces:
            return record
    return None
