"""``ganbench check``: every rule that an author's model, metric, data set, extractor or track keeps or breaks."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ganbench.cli.options import device_option
from ganbench.cli.signals import Ended, orderly_end
from ganbench.errors import RequestError

if TYPE_CHECKING:
    from ganbench.testing.subjects import Subject
    from ganbench.testing.trial import Trial

KINDS = ("model", "dataset", "extractor", "metric", "track")
HELD, BROKEN = "✓", "✗"


@click.command()
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@click.option("--kind", type=click.Choice(KINDS), help="What NAME is, where several kinds of things have that name.")
@click.option("--seconds", type=click.FloatRange(0, 3600), default=20.0, show_default=True,
              help="How long a model is trained on mnist5k after its rules; 0: not at all.")  # fmt: skip
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="The picture of a trained model's samples. [default: check-NAME.png]")  # fmt: skip  # noqa: E501
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of lines.")
@device_option("Where a model is trained: auto, cpu, cuda or cuda:N. Rules are checked on the CPU.")
def check(
    names: tuple[str, ...], kind: str | None, seconds: float, out: Path | None, as_json: bool, device: str
) -> int:
    """Check models, metrics, data sets, extractors and tracks against the rules of their kind, and try models out.

    NAME is a registered name, ./FILE.py:CLASS, a track's .toml file, an extractor's .safetensors file, or the folder
    of a package: all that its pyproject.toml registers is checked.

    Exit status: 0 all rules hold; 1 some rule is broken; 2 the request was wrong.
    """
    from ganbench.experiment.plan import lacking
    from ganbench.testing.subjects import find

    found = [(name, find(name, kind)) for name in names]
    subjects = [(name, subject) for name, each in found for subject in each.subjects]
    models = [subject for _, subject in subjects if subject.kind == "models"]
    for subject in models:
        if sentence := lacking(subject.thing):
            raise RequestError(f"model {sentence}")
    if out is not None and len(models) != 1:
        raise RequestError(f"--out {out}: is one picture, and {len(models)} models are checked: leave it out")
    if out is not None and not out.absolute().parent.is_dir():
        raise RequestError(f"--out {out}: there is no folder {out.absolute().parent}: make it first")
    report = Report(as_json)
    for _, each in found:
        for broken in each.broken:
            report.broken(str(broken))
    try:
        with orderly_end():
            for name, subject in subjects:
                report.subject(subject, name, kind, seconds, device, out)
    except Ended as end:
        return 128 + end.number
    return report.finish()


class Report:
    """What has been found so far: printed as it comes, or as one JSON document at the end."""

    def __init__(self, as_json: bool) -> None:
        self._as_json, self._found, self._broken = as_json, list[dict[str, Any]](), list[str]()

    def _say(self, line: str) -> None:
        if not self._as_json:
            click.echo(line)

    def broken(self, reason: str) -> None:
        """Tell of something that a package could not register."""
        self._broken.append(reason)
        self._say(f"{BROKEN} {reason}")

    def subject(
        self, subject: Subject, spec: str, kind: str | None, seconds: float, device: str, out: Path | None
    ) -> None:
        """Check one thing, and train it where it is a model."""
        from ganbench.testing.examine import examine

        self._say(str(subject))
        rules, reasons = [], dict[str, str]()
        for outcome in examine(subject, spec, kind):
            rules.append(outcome)
            failure = outcome.failure.removeprefix(f"{subject.name}: ")
            if failure in reasons:
                failure = f"as {reasons[failure]}"
            elif failure:
                reasons[failure] = outcome.check
            mark = BROKEN if failure else HELD
            self._say(f"  {mark} {outcome.check:45} {outcome.seconds:5.1f} s  {failure}".rstrip())
        entry: dict[str, Any] = {"kind": subject.kind, "name": subject.name, "rules": [asdict(each) for each in rules]}
        self._found.append(entry)
        if subject.kind == "models" and seconds:
            self._say(f"  training for {seconds:g} s on mnist5k ...")
            entry["trial"] = self._trial(subject, seconds, device, out or Path(f"check-{subject.name}.png"))
        kept = sum(not each.failure for each in rules)
        self._say(f"  {kept} of {len(rules)} rules hold\n")

    def _trial(self, subject: Subject, seconds: float, device: str, picture: Path) -> dict[str, Any]:
        from ganbench.testing.trial import try_out

        trial = try_out(subject, seconds, picture, device=device)
        self._say(f"  {BROKEN if trial.failure else HELD} {_told(trial)}")
        for note in trial.notes:
            self._say(f"    {note}")
        return asdict(trial) | {"picture": None if trial.picture is None else str(trial.picture)}

    def finish(self) -> int:
        """Return the exit status, after the JSON document where that is asked for."""
        failures = [rule["failure"] for each in self._found for rule in each["rules"]]
        failures += [each["trial"]["failure"] for each in self._found if "trial" in each]
        held = not any(failures) and not self._broken
        if self._as_json:
            click.echo(json.dumps({"held": held, "broken": self._broken, "checked": self._found}, indent=1))
        return int(not held)


def _told(trial: Trial) -> str:
    how = f"trained for {trial.seconds:.0f} s on mnist5k, {trial.images:,} images"
    if trial.failure or trial.fid is None:
        return f"{how}: {trial.failure}"
    noise, real = (f"{value:.0f}" if value is not None else "–" for value in (trial.noise, trial.real))
    return f"{how}: FID {trial.fid:.0f} of 500 samples (noise {noise}, real images {real}); samples: {trial.picture}"
