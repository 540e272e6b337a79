"""Gather the runs of a board: what stands on it, what is refused and why, what is left out."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from ganbench.boards.checks import KnownSources, has_other_code, refusal, score_refusal, started
from ganbench.boards.entries import Entry, ambiguous_extractors, by_extractor, of_one_version
from ganbench.boards.request import BoardRequest
from ganbench.store.layout import SCORES
from ganbench.store.run_record import RunRecord
from ganbench.store.run_spec import TrainingProtocol
from ganbench.store.score_record import ScoreRecord
from ganbench.store.store import Store, StoredRun
from ganbench.store.verification import read_checked


@dataclass(frozen=True)
class Refusal:
    """A run, or one of its score files, that is not on the board, and why; the reason holds no path to its folder."""

    path: Path
    reason: str

    @property
    def what(self) -> str:
        """The run's key, with the file where it is one of its scores."""
        return f"{self.path.parts[-3]}/scores/{self.path.name}" if self.path.suffix == ".json" else self.path.name


@dataclass(frozen=True)
class Superseded:
    """Runs that gave way to newer ones of the same label; `by` says to which."""

    label: str
    count: int
    by: str

    def __str__(self) -> str:
        return f"{self.count} older {'run' if self.count == 1 else 'runs'} of {self.label} superseded by {self.by}"


@dataclass
class Collection:
    """What was found for one board: `shown` in the order of labels and seeds, and what is not among it."""

    shown: list[Entry] = field(default_factory=list)
    superseded: list[Superseded] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)


class _Read(NamedTuple):
    """An entry, and its scores under other extractors, which have no name yet."""

    entry: Entry
    others: list[ScoreRecord]


def collect(
    request: BoardRequest,
    stores: Iterable[Store],
    published: Iterable[Store],
    known_sources: KnownSources,
    now: datetime.datetime,
) -> Collection:
    """Gather the runs of a training protocol, with their scores under a scoring protocol.

    A published row keeps its own numbers, of all its runs; one whose every run the user has, too, is not shown twice.
    """
    found = Collection()
    own, copies = ({
        each.entry.run.key: each
        for store in group
        for each in _read(request, store, where, found, known_sources, now)
    } for where, group in ((False, stores), (True, published)))  # fmt: skip
    new = {each.entry.row for key, each in copies.items() if _adds(each.entry, own.get(key))}
    read = [*own.values(), *(each for each in copies.values() if each.entry.row in new)]
    ambiguous = ambiguous_extractors(score for each in read for score in each.others)
    named = [replace(each.entry, others=by_extractor(each.others, ambiguous)) for each in read]
    kept = of_one_version(_one_device(named, request, found), request.metrics)
    for where in (False, True):
        for claimed in (False, True):  # which supersedes nothing that was checked
            group = [entry for entry in kept if (entry.published, entry.claimed) == (where, claimed)]
            found.shown += _supersede(group, found)
    found.refused.sort(key=lambda each: str(each.path))
    found.left_out = list(dict.fromkeys(found.left_out))
    return found


def _adds(published: Entry, own: _Read | None) -> bool:
    """Tell whether a published run says more than the user's copy of it."""
    return own is None or (published.ok and not own.entry.ok)


def _read(
    request: BoardRequest, store: Store, published: bool, found: Collection, known: KnownSources, now: datetime.datetime
) -> list[_Read]:
    entries = []
    precisions: Counter[str] = Counter()
    other_code: Counter[tuple[str, str]] = Counter()
    key = request.scoring.key  # a hash, which a large store would compute again and again
    for stored in store.records():
        if stored.record is None:
            found.refused.append(_problem(stored, stored.problems[0]))
            continue
        if not _belongs(stored.record, request):
            precisions[stored.record.spec.training.precision] += _differs_in_precision(stored.record, request)
            continue
        if reason := refusal(stored.record, now):
            found.refused.append(Refusal(stored.folder, reason))
            continue
        if has_other_code(stored.record, known):
            other_code[stored.record.spec.model_info.label, stored.record.spec.model_info.distribution] += 1
            continue
        if (entry := _entry(stored, request, key, published, found)) is not None:
            entries.append(entry)
    for (label, distribution), count in sorted(other_code.items()):
        found.left_out.append(
            f"left out {_runs(count)} of {label}: trained with other code than {distribution} has here"
        )
    for precision, count in precisions.items():
        if count:
            found.left_out.append(
                f"left out {_runs(count)} in {precision}: this board shows {request.training.precision}"
            )
    return entries


def _problem(stored: StoredRun, problem: str) -> Refusal:
    """Return a refusal; without its folder, the reason reads the same wherever a board is built."""
    return Refusal(stored.folder, problem.replace(f"{stored.folder}/", ""))


def _runs(count: int) -> str:
    return f"{count} run{'' if count == 1 else 's'}"


def _content(training: TrainingProtocol) -> tuple[str, str]:
    return training.train_sha256, training.budget


def _belongs(record: RunRecord, request: BoardRequest) -> bool:
    training, info = record.spec.training, record.spec.model_info
    if info.role != "model":
        return training.train_sha256 == request.training.train_sha256
    return (*_content(training), training.precision) == (*_content(request.training), request.training.precision)


def _differs_in_precision(record: RunRecord, request: BoardRequest) -> int:
    model = record.spec.model_info.role == "model"
    return int(model and _content(record.spec.training) == _content(request.training))


def _entry(stored: StoredRun, request: BoardRequest, key: str, published: bool, found: Collection) -> _Read | None:
    """Return a run as an entry; None for a baseline that was not scored under the board's protocol, `key`."""
    assert stored.record is not None
    good: list[ScoreRecord] = []
    metrics = {metric.name: metric for metric in request.metrics}
    found.refused += [_problem(stored, problem) for problem in stored.problems]
    for score in stored.scores:
        if reason := score_refusal(score, stored.record, metrics):
            found.refused.append(Refusal(stored.folder / SCORES / f"{score.key}.json", reason))
        else:
            good.append(score)
    own = next((score for score in good if score.key == key), None)
    if own is None and stored.record.spec.model_info.role != "model":
        return None
    others = [score for score in good if _under_another_extractor(score, request)]
    checked = read_checked(stored.folder)
    return _Read(Entry(stored.record, stored.folder, own, published=published, checked=checked), others)


def _under_another_extractor(score: ScoreRecord, request: BoardRequest) -> bool:
    mine, theirs = request.scoring, score.protocol
    same = ("reference_sha256", "train_sha256", "samples", "curve_samples")
    return mine.extractor_sha256 != theirs.extractor_sha256 and all(
        getattr(mine, name) == getattr(theirs, name) for name in same
    )


def _one_device(entries: list[Entry], request: BoardRequest, found: Collection) -> list[Entry]:
    """Keep the runs of one kind of device where the budget is time: another is another budget."""
    devices = Counter(entry.run.spec.training.device for entry in entries if entry.info.role == "model")
    if len(devices) < 2:
        return entries
    own = Counter(each.run.spec.training.device for each in entries if each.info.role == "model" and not each.published)
    asked = request.training.device
    shown = asked if asked in devices else (own or devices).most_common(1)[0][0]
    for device, count in sorted(devices.items()):
        if device != shown:
            found.left_out.append(
                f"left out {_runs(count)} on {device}: under a time budget a board compares "
                f"one kind of device, here {shown}"
            )
    return [each for each in entries if each.info.role != "model" or each.run.spec.training.device == shown]


def _supersede(entries: list[Entry], found: Collection) -> list[Entry]:
    """Keep of each label the most recently started source, and of that one run a seed; count the others.

    A seed that counted twice would narrow an interval that it must not.
    """
    entries = sorted(entries, key=lambda each: (started(each.run), each.run.key), reverse=True)
    source: dict[str, tuple[str, str]] = {}
    seeds: set[tuple[str, int]] = set()
    shown = []
    why: Counter[tuple[str, str]] = Counter()
    for entry in entries:
        info = entry.info
        if source.setdefault(info.label, (info.version, info.source)) != (info.version, info.source):
            why[info.label, "its current source"] += 1
        elif (info.label, entry.run.spec.seed) in seeds:
            why[info.label, "a newer run of the same seed"] += 1
        else:
            seeds.add((info.label, entry.run.spec.seed))
            shown.append(entry)
    found.superseded += [Superseded(label, count, by) for (label, by), count in sorted(why.items())]
    return sorted(shown, key=lambda each: (each.info.label, each.seed_index, each.run.key))
