"""The third step of verification: the samples drawn again from the checkpoints, and compared.

A checkpoint is read with ``weights_only``, in a worker that runs the submitted class: what comes back are files.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ganbench.engine import Ended, Task
from ganbench.scoring.worker import likelihood_images
from ganbench.store.layout import CHECKPOINT, RUNTIME, answer_path
from ganbench.store.provenance import provenance
from ganbench.store.run_record import RunRecord
from ganbench.store.samples import array_sha256, read_samples
from ganbench.submission.agreement import PIXELS, RELATIVE, differing_pixels, other_kind
from ganbench.submission.workplace import Workplace, copy_run
from ganbench.training import inference
from ganbench.training.data_file import write_training_data
from ganbench.training.inference import InferenceJob
from ganbench.util.atomic_io import write_bytes, write_text


@dataclass
class Resampled:
    """What was found: the share of pixels that differ by run, what differs too much, and what a reader must know."""

    shares: dict[str, float] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def resample(work: Workplace) -> Resampled:
    """Draw the samples of every finished run again, and ask for likelihoods where they were scored."""
    found, others = Resampled(), dict[str, None]()
    for record in work.finished:
        who = f"runs/{record.key}"
        ended, folder = _draw(work, record)
        if ended.code:
            lines = ended.log.strip().splitlines()
            why = str(ended.last.data.get("reason") or ended.stalled or (lines[-1] if lines else "no output"))
            found.problems.append(f"{who}/{CHECKPOINT}: no samples can be drawn from it: {why}")
            continue
        assert record.samples is not None
        submitted = read_samples(work.store.folder(record.key), record.samples)
        try:
            drawn = np.load(folder / "drawn.npy", allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            found.problems.append(f"{who}/{CHECKPOINT}: left no samples ({error})")
            continue
        runtime = work.runtime(record)
        other = other_kind(record.provenance, provenance(runtime.device, "fp32", [])
                           | {"threads": runtime.threads, "deterministic": runtime.deterministic})  # fmt: skip
        others |= dict.fromkeys(other)
        share, allowed = differing_pixels(submitted, drawn), PIXELS if other else 0.0
        found.shares[record.key] = share
        if share > allowed:
            found.problems.append(
                f"{who}/{record.samples.file}: {share:.3%} of its pixels are not those that {CHECKPOINT} draws "
                f"({allowed:.0%} allowed)"
            )
        found.problems += _answers(work, record, folder, bool(other))
    same = sum(share == 0 for share in found.shares.values())
    found.notes.append(f"the samples of {same} of {len(found.shares)} runs are the same to the last bit")
    if others:
        found.notes.append(f"drawn on another kind of machine, so within a tolerance: {'; '.join(others)}")
    return found


def _draw(work: Workplace, record: RunRecord) -> tuple[Ended, Path]:
    """Let the contestant's workers draw; return how that ended, and the folder that it left files in."""
    source, folder = work.store.folder(record.key), work.folder / "confined" / record.key
    spec = record.spec.model_copy(update={"import_path": work.place(record)})
    copy_run(source, folder, record.model_copy(update={"spec": spec}), [CHECKPOINT])
    runtime = work.runtime(record)
    write_text(folder / RUNTIME, runtime.model_dump_json())
    images = _images(work, record)
    job = InferenceJob(
        folder=folder.absolute(), runtime=runtime, data_file=write_training_data(work.protocols.dataset),
        draw_to=folder.absolute() / "drawn.npy", images_file=images,
    )  # fmt: skip
    task = Task(
        name=f"draw-{record.key}", entry=inference.ENTRY, payload=job.model_dump(mode="json"), log=folder / "log.txt"
    )
    *_, ended = work.perform(work.contestant(runtime), [task])
    assert isinstance(ended, Ended)
    return ended, folder


def _images(work: Workplace, record: RunRecord) -> Path | None:
    """Return a file of the images whose likelihood was scored, None where it was not."""
    images = likelihood_images(work.protocols.dataset, work.protocols.scoring.split)
    if not answer_path(work.store.folder(record.key), "log_likelihood", array_sha256(images)).exists():
        return None
    path = work.folder / "likelihood_images.npy"
    if not path.exists():
        import io

        stream = io.BytesIO()
        np.save(stream, images, allow_pickle=False)
        write_bytes(path, stream.getvalue())
    return path.absolute()


def _answers(work: Workplace, record: RunRecord, folder: Path, other: bool) -> list[str]:
    """Compare the bounds of the likelihood that the bundle has with those that the checkpoint gives here."""
    images = likelihood_images(work.protocols.dataset, work.protocols.scoring.split)
    sha256 = array_sha256(images)
    path = answer_path(work.store.folder(record.key), "log_likelihood", sha256)
    if not path.exists():
        return []
    submitted = np.load(path, allow_pickle=False)
    try:
        here = np.load(answer_path(folder, "log_likelihood", sha256), allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        return [f"runs/{record.key}/answers/{path.name}: the checkpoint gives none here ({error})"]
    if submitted.shape == here.shape and np.allclose(submitted, here, rtol=RELATIVE if other else 0, atol=0):
        return []
    return [f"runs/{record.key}/answers/{path.name}: is not the likelihood that {CHECKPOINT} gives"]
