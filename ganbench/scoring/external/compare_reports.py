"""Two reports of ``ganbench evaluate`` compared: whether they were made in the same way, and then their numbers.

Two values compare where everything that they depend on is the same: of a metric that needs no reference, the reference
may differ. Where something else differs, such as the machine or what a reference is called, it is named too.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Any

from ganbench.metric import MetricInfo, Score
from ganbench.scoring.external.report_file import ReferenceSet, ReportFile

SCHEMA = 1
_NO_CAUSE = ("started", "command")
"""Parts of provenance that differ as a matter of course."""
_REFERENCE = {"moments", "reference", "labels", "classifier", "modes", "likelihood"}
_LABELS = {"labels", "classifier"}

# What is read of a report, and which needs of a metric make its value depend on that; None: every value does.
_DECISIVE: tuple[tuple[str, Callable[[ReportFile], Any], Collection[str] | None], ...] = (
    ("n of samples", lambda report: report.samples.n, None),
    ("shape of samples", lambda report: report.samples.shape, None),
    ("treatment of samples", lambda report: report.preprocessing.samples, None),
    ("extractor's sha256", lambda report: report.extractor.sha256, None),
    ("extractor's preprocessing", lambda report: report.preprocessing.extractor, None),
    ("resize", lambda report: report.preprocessing.resize, None),
    ("scoring version", lambda report: report.protocol, None),
    ("reference's sha256", lambda report: _images_of(report.reference), _REFERENCE),
    ("n of reference", lambda report: report.reference.n, _REFERENCE),
    ("shape of reference", lambda report: report.reference.shape, _REFERENCE),
    ("split", lambda report: report.reference.split, _REFERENCE),
    ("reference's labels", lambda report: report.reference.labels_sha256, _LABELS),
    ("training images", lambda report: report.reference.train_sha256, {"train"}),
    ("classifier's steps", lambda report: _classifier(report, "steps"), {"classifier"}),
    ("classifier's seeds", lambda report: _classifier(report, "count"), {"classifier"}),
    ("classifier's random labels", lambda report: _classifier(report, "random_labels"), {"classifier"}),
)


@dataclass(frozen=True)
class Difference:
    """Something that the reports say differently, as JSON values.

    `metrics` are those in both whose values depend on it; `protocol` tells whether any value of a report may.
    """

    what: str
    a: Any
    b: Any
    metrics: tuple[str, ...] = ()
    protocol: bool = False


@dataclass(frozen=True)
class ValuePair:
    """A metric on both sides, None where a report has none of it.

    `z` is A - B in standard errors over samples; None without these, and where the two are not `comparable`.
    """

    info: MetricInfo
    a: Score | None
    b: Score | None
    comparable: bool

    @property
    def z(self) -> float | None:
        if not self.comparable or self.a is None or self.b is None or self.a.se is None or self.b.se is None:
            return None
        error = math.hypot(self.a.se, self.b.se)
        return (self.a.value - self.b.value) / error if error else None


@dataclass(frozen=True)
class ReportComparison:
    """All differences, those of protocol first, and the values side by side."""

    a: ReportFile
    b: ReportFile
    differences: tuple[Difference, ...]
    values: tuple[ValuePair, ...]

    @property
    def decisive(self) -> tuple[Difference, ...]:
        """The differences that change a number which is in both reports, or would change any."""
        return tuple(each for each in self.differences if each.protocol)

    @property
    def comparable(self) -> bool:
        """Whether all numbers that are in both reports compare."""
        return not self.decisive

    @property
    def same_samples(self) -> bool:
        return self.a.samples.sha256 == self.b.samples.sha256

    @property
    def sentence(self) -> str:
        """Return the verdict in one line."""
        both = [each for each in self.values if each.a is not None and each.b is not None]
        apart = [each.info.title for each in both if not each.comparable]
        same = " Both hold the same samples." if self.same_samples else ""
        if self.comparable:
            first = _first(both[0]) if both else "they have no metric in common"
            return f"The two reports were made in the same way, so their numbers compare: {first}.{same}"
        which = "These numbers do not compare"
        if len(apart) < len(both):
            which = f"Some of these numbers do not compare ({', '.join(apart)})"
        return f"{which}: the reports differ in {_listed([each.what for each in self.decisive])}.{same}"

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON values; ``docs/compare.md`` describes the keys."""
        return {
            "schema": SCHEMA,
            "kind": "reports",
            "sentence": self.sentence,
            "comparable": self.comparable,
            "same_samples": self.same_samples,
            "a": {"samples": self.a.samples.name, "notes": self.a.notes},
            "b": {"samples": self.b.samples.name, "notes": self.b.notes},
            "differences": [
                {
                    "what": each.what, "a": each.a, "b": each.b, "changes_numbers": each.protocol,
                    "metrics": list(each.metrics),
                }
                for each in self.differences
            ],
            "values": [
                {
                    "name": each.info.name, "title": each.info.title, "direction": each.info.direction,
                    "a": each.a and each.a.value, "a_se": each.a and each.a.se,
                    "b": each.b and each.b.value, "b_se": each.b and each.b.se,
                    "z": each.z, "comparable": each.comparable,
                }
                for each in self.values
            ],
        }  # fmt: skip


def compare_reports(a: ReportFile, b: ReportFile) -> ReportComparison:
    """Compare two reports; those of protocol come first among the differences."""
    infos = {name: report.metric_info[name] for report in (b, a) for name in report.metrics}
    both = [name for name in a.metrics if name in b.metrics]
    differences = [*_of_protocol(a, b, both), *_others(a, b, both)]
    affected = {name for each in differences for name in each.metrics}
    values = [
        ValuePair(infos[name], a.metrics.get(name), b.metrics.get(name), name not in affected)
        for name in dict.fromkeys((*a.metrics, *b.metrics))
    ]
    return ReportComparison(a, b, tuple(sorted(differences, key=lambda each: not each.protocol)), tuple(values))


def _of_protocol(a: ReportFile, b: ReportFile, both: list[str]) -> Iterator[Difference]:
    for what, read, needs in _DECISIVE:
        mine, other = read(a), read(b)
        if mine != other:
            # what a folder or a file of moments does not say decides nothing: its hash does
            told = bool(mine and other) or needs is not _REFERENCE
            hit = tuple(name for name in both if told and (needs is None or _depends(a, b, name, needs)))
            yield Difference(what, mine, other, hit, protocol=bool(hit) or needs is None)
    for name in both:
        mine, other = a.metric_info[name], b.metric_info[name]
        for field in ("version", "direction"):
            if getattr(mine, field) != getattr(other, field):
                found = (getattr(mine, field), getattr(other, field))
                yield Difference(f"{field} of {mine.title}", *found, (name,), protocol=True)


def _depends(a: ReportFile, b: ReportFile, name: str, needs: Collection[str]) -> bool:
    return any(need in needs for report in (a, b) for need in report.metric_info[name].needs)


def _others(a: ReportFile, b: ReportFile, both: list[str]) -> Iterator[Difference]:
    """Yield what differs and decides no number beyond its last digits."""
    sides = [dict(_rest(report, both)) for report in (a, b)]
    for what in dict.fromkeys((*sides[0], *sides[1])):
        mine, other = (side.get(what) for side in sides)
        if mine != other:
            yield Difference(what, mine, other)


def _rest(report: ReportFile, both: list[str]) -> Iterator[tuple[str, Any]]:
    samples, reference = report.samples, report.reference
    yield "samples come from", samples.kind
    yield "samples there were", samples.available
    yield "labels of samples", samples.labels_sha256
    if samples.kind != "run":  # of a run it is key, model and seed: which samples they are, not how they were read
        yield from _flat("reading of samples", samples.reading)
    yield "reference", reference.name
    yield "reference comes from", reference.kind
    yield from _flat("reading of reference", reference.reading)
    yield "extractor", report.extractor.name
    yield "classifier's first seed", _classifier(report, "seed")
    yield "track", report.track.get("name")
    yield "track's version", report.track.get("version")
    for name in both:
        yield f"{report.metric_info[name].title} from", report.metric_info[name].source
    for name, value in report.provenance.items():
        if name not in _NO_CAUSE:
            yield from _flat(name, value)


def _flat(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _flat(f"{name}, {key}", inner)
    else:
        yield name, value


def _images_of(reference: ReferenceSet) -> str:
    """Return the hash of the images, of saved statistics too where these say which images they are from."""
    return str(reference.reading.get("images_sha256", reference.sha256))


def _classifier(report: ReportFile, field: str) -> Any:
    """Return a setting of the downstream classifier, None where there was none."""
    classifier = report.settings.downstream_classifier
    return None if classifier is None else getattr(classifier, field)


def _first(pair: ValuePair) -> str:
    assert pair.a is not None and pair.b is not None
    z = "" if pair.z is None else f", z = {pair.z:+.1f}"
    return f"{pair.info.title} {pair.a.value:.3g} against {pair.b.value:.3g}{z}"


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
