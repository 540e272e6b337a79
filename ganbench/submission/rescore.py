"""The second step of verification: the samples of a bundle scored anew, and every metric compared.

What is scored are the samples in the bundle, and the answers that its checkpoints gave: no code of it is run.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ganbench.errors import RequestError
from ganbench.reproduction.reproduce import score_plan
from ganbench.store.store import Store
from ganbench.submission.agreement import MetricAgreement, compare_scores
from ganbench.submission.workplace import Workplace, copy_run, sample_files, scored_with


@dataclass
class Rescored:
    """What was found: every metric on both sides, what differs, and what a reader must know."""

    metrics: list[MetricAgreement] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def rescored_store(work: Workplace) -> Store:
    """Return where the bundle's runs lie with the scores that were computed here."""
    return Store(work.folder / "rescored")


def rescore(work: Workplace) -> Rescored:
    """Score all samples under every protocol that the bundle has scores of."""
    found, store = Rescored(), rescored_store(work)
    submitted = {}
    for record in work.finished:
        copy_run(work.store.folder(record.key), store.folder(record.key), record,
                 sample_files(work.store.folder(record.key), record))  # fmt: skip
        for score in work.store.scores(record.key).records:
            submitted[record.key, score.key] = record, score
    groups: dict[tuple[str, tuple[str, ...], int, str], list[str]] = {}
    for (key, protocol), (_, score) in submitted.items():
        group = (protocol, tuple(score.metric_info), *scored_with(score.provenance))
        groups.setdefault(group, []).append(key)
    for (protocol, _, threads, device), keys in groups.items():
        score = submitted[keys[0], protocol][1]
        try:
            plan = score_plan(score, work.weights, work.registry)
        except RequestError as error:
            raise RequestError(f"runs/{keys[0]}/scores/{protocol}.json: cannot be computed here: {error}") from error
        refused = work.score(store, keys, plan, threads, device)
        found.problems += [f"runs/{key}/samples: cannot be scored: {why}" for key, why in refused.items()]
    others: dict[str, None] = {}
    for (key, protocol), (record, score) in submitted.items():
        here = store.read_score(key, protocol)
        if here is None:
            continue
        metrics, other = compare_scores(score, here, record.spec.model_info.label, record.spec.seed_index)
        found.metrics += metrics
        others |= dict.fromkeys(other)
        found.problems += [f"runs/{key}/scores/{protocol}.json: {each}" for each in metrics if not each.agrees]
    exact = sum(each.same for each in found.metrics)
    found.notes.append(f"{exact:,} of {len(found.metrics):,} values are the same to the last digit")
    if others:
        found.notes.append(f"scored on another kind of machine, so within a tolerance: {'; '.join(others)}")
    return found
