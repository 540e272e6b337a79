"""What a board is asked to show: a track, with the content that its names stand for."""

from __future__ import annotations

from dataclasses import dataclass

from ganbench.metric import MetricInfo
from ganbench.store.run_spec import TrainingProtocol
from ganbench.store.score_record import ScoringProtocol
from ganbench.tracks.track import Track


@dataclass(frozen=True)
class BoardRequest:
    """A track with its training and scoring protocol, the metric that ranks, and the track's metrics in board order."""

    track: Track
    training: TrainingProtocol
    scoring: ScoringProtocol
    headline: MetricInfo
    metrics: tuple[MetricInfo, ...]

    @property
    def name(self) -> str:
        """The board's name: the track's; a board against the validation split has one of its own."""
        return self.track.name if self.scoring.split == "test" else f"{self.track.name}@{self.scoring.split}"
