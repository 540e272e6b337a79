"""What training and scoring show: bars and a growing table on a terminal, plain lines elsewhere, nothing when quiet."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field
from types import TracebackType

from rich.console import Group
from rich.live import Live
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.text import Text

from ganbench.boards.formatting import metric_value
from ganbench.cli.console import console
from ganbench.engine import WAITING, Event
from ganbench.experiment.engine import EngineChoice
from ganbench.experiment.execution import News
from ganbench.experiment.session import Session
from ganbench.metric import MetricInfo
from ganbench.store.run_record import RunRecord, RunStatus
from ganbench.store.run_spec import RunSpec
from ganbench.store.score_record import ScoreRecord
from ganbench.util.text import one_line
from ganbench.util.text_table import Heading, lay_out

PLAIN_EVERY = 10.0
"""Seconds between two lines about one run where there is no terminal."""
COLUMNS = ("fid", "is", "recall", "coverage", "authenticity")
"""Shown of a run as it is scored, where its track ranks by FID; else the track's first metrics."""


@dataclass
class _Line:
    """A run in the growing table."""

    spec: RunSpec
    record: RunRecord | None = None
    score: ScoreRecord | None = None
    note: str = ""


@dataclass
class Display:
    """Shows the news of a session; use as a context manager around `Session.run`."""

    session: Session
    quiet: bool
    _lines: dict[str, _Line] = field(default_factory=dict)
    _bars: dict[str, TaskID] = field(default_factory=dict)
    _spoke: dict[str, float] = field(default_factory=dict)
    _trained: int = 0
    _live: Live | None = None

    def __post_init__(self) -> None:
        self._console = console()
        self._progress = Progress(
            TextColumn("{task.description}"), BarColumn(24), TextColumn("{task.percentage:>3.0f} %"),
            TimeRemainingColumn(compact=True), TextColumn("[dim]{task.fields[news]}"), console=self._console,
        )  # fmt: skip
        work = len(self.session.train) + len(self.session.score)
        self._total = self._progress.add_task("all runs", total=max(work, 1), news="")
        self._columns = _columns(self.session)

    def __enter__(self) -> Display:
        if self.quiet:
            return self
        session, track = self.session, self.session.protocols.track
        against = "" if session.protocols.scoring.split == "test" else ", against the validation split"
        self._say(
            f"{track.name}: {track.budget} on {track.dataset}, {track.samples} samples, {track.extractor}{against}"
        )
        for note in session.notes:
            self._say(note)
        if session.done and not session.train:
            self._say(f"all {len(session.specs)} runs are in {session.store.root}: nothing to train")
        elif session.done:
            self._say(
                f"{len(session.done)} of {len(session.specs)} runs are in {session.store.root}: not trained again "
                "(--rerun does)"
            )
        if session.train or session.score:
            todo = [f"{len(session.train)} to train"] if session.train else []
            todo += [f"{len(session.score)} to score"] if session.score else []
            runtime = session.runtime
            threads = f"{runtime.threads} thread{'s' if runtime.threads > 1 else ''} each"
            precision = f", {track.precision}" if session.train else ""
            how_many = at_a_time(session.engine, session.jobs)
            self._say(f"{', '.join(todo)}; {how_many}, {threads}, {runtime.device}{precision}")
            if self._console.is_terminal:
                self._live = Live(self._render(), console=self._console, refresh_per_second=4)
                self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def show(self, news: News) -> None:
        """Take in what happened."""
        if news.record is not None:
            self._take_record(news.record)
        elif news.scored or news.refused:
            self._take_score(news)
        elif news.event is not None and news.spec is not None:
            self._take_event(news.spec, news.event)
        if self._live is not None:
            self._live.update(self._render())

    def _take_record(self, record: RunRecord) -> None:
        self._trained += 1
        self._lines[record.key] = _Line(record.spec, record)
        self._progress.advance(self._total)
        if record.key in self._bars:
            self._progress.remove_task(self._bars.pop(record.key))
        if self._live is None and not self.quiet:
            if record.status is RunStatus.OK:
                self._say(f"{_who(record.spec)}: trained {record.seconds.get('train', 0.0):.0f} s")
            else:
                self._say(f"{_who(record.spec)}: {record.status}: {record.reason}")

    def _take_score(self, news: News) -> None:
        line = self._lines.get(news.key)
        if line is None:
            record = self.session.store.read(news.key)
            assert record is not None
            line = self._lines[news.key] = _Line(record.spec, record)
            self._progress.advance(self._total)
        line.score = self.session.store.read_score(news.key, self.session.protocols.scoring.key)
        line.note = news.refused and f"not scored: {news.refused}"
        if self._live is None and not self.quiet:
            scores = "  ".join(f"{info.title} {self._score(line, info)}" for info in self._columns)
            self._say(f"{_who(line.spec)}: {line.note or scores}")

    def _take_event(self, spec: RunSpec, event: Event) -> None:
        key, percent = spec.key, f"{event.share:.0%}".replace("%", " %")
        if self._live is not None:
            if key not in self._bars:
                self._bars[key] = self._progress.add_task(_who(spec).replace("[", "\\["), total=1.0, news="")
            training = event.phase == "training"
            self._progress.update(
                self._bars[key], completed=event.share, news=_news(event) if training else event.phase
            )
        elif not self.quiet and (event.phase == WAITING or time.monotonic() - self._spoke.get(key, 0.0) > PLAIN_EVERY):
            self._spoke[key] = time.monotonic()
            self._say(f"  {_who(spec)}: {event.phase} {percent}  {_news(event)}".rstrip())

    def _render(self) -> Group:
        columns = [Heading("model", gives_way="shorten"), Heading("seed", right=True)]
        columns += [Heading(info.title, right=True) for info in self._columns]
        columns += [Heading("train s", right=True), Heading("status", gives_way="fold")]
        rows, styles = [], []
        for line in self._lines.values():
            record, role = line.record, line.spec.model_info.role
            assert record is not None
            good = record.status is RunStatus.OK and not line.note
            status = line.note or (record.status.value if good else f"{record.status}: {record.reason}")
            cells = [
                line.spec.model_info.label,
                str(line.spec.seed_index) if role == "model" else "–",
                *(self._score(line, info) for info in self._columns),
                f"{record.seconds.get('train', 0.0):.0f}" if role == "model" else "–",
                status,
            ]
            rows.append([one_line(cell) for cell in cells])
            styles.append("" if good else "red")
        least_told_first = [len(columns) - 2, *range(len(columns) - 3, 2, -1), 1]
        table = lay_out(columns, rows, self._console.width, least_told_first)
        lines = [Text(each, "bold") for each in table.heading] + [Text(table.rule)]
        lines += [Text(each, style) for row, style in zip(table.rows, styles, strict=True) for each in row]
        for each in lines:
            each.no_wrap = True
        return Group(*lines, self._progress)

    @staticmethod
    def _score(line: _Line, info: MetricInfo) -> str:
        known = line.score.metrics if line.score else {}
        return metric_value(known[info.name].value, info) if info.name in known else "–"

    def finish(self, records: list[RunRecord]) -> None:
        """Say how to do again what did not end well."""
        if self.quiet:
            return
        if bad := sorted({record.status.value for record in records if record.status is not RunStatus.OK}):
            self._say(f"some runs did not end well: --retry {','.join(bad)} trains them again")
        for key, reason in self.session.refused.items():
            self._say(f"{key}: not scored: {reason}")

    def interrupted(self) -> None:
        """Say what is kept and how to go on."""
        kept = len(self.session.done) + self._trained
        print(
            f"ganbench: interrupted: {kept} of {len(self.session.specs)} runs are kept in {self.session.store.root}; "
            "the same command goes on with the rest",
            file=sys.stderr,
        )
        self.tell_left()

    def tell_left(self) -> None:
        """Say what goes on without this command."""
        for sentence in self.session.left:
            print(f"ganbench: {sentence}", file=sys.stderr)

    def _say(self, text: str) -> None:
        self._console.print(Text(text), soft_wrap=True)


def at_a_time(engine: EngineChoice, jobs: int | None) -> str:
    """Say how many runs are worked on at a time, and where."""
    how_many = "as many at a time as there is room for" if jobs is None else f"{jobs} at a time"
    return how_many if engine.source.local else f"{how_many} ({engine.source.name})"


def _columns(session: Session) -> tuple[MetricInfo, ...]:
    """Return the metrics that are shown of a run."""
    infos = {metric.name: metric.info for metric in session.protocols.plans[0].metrics}
    if session.protocols.track.headline == COLUMNS[0]:
        names = [name for name in COLUMNS if name in infos]
    else:
        names = list(infos)[: len(COLUMNS)]
    return tuple(infos[name] for name in names)


def _who(spec: RunSpec) -> str:
    info = spec.model_info
    return f"{info.label} seed {spec.seed_index}" if info.role == "model" else f"{info.label} ({info.role})"


def _news(event: Event) -> str:
    rate = f"{event.images / event.seconds:,.0f} img/s" if event.seconds else ""
    return "  ".join([rate, *(f"{name} {value:.3g}" for name, value in event.losses.items())]).strip()
