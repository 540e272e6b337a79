"""LeNet (LeCun et al. 1998) with batch normalisation: the frozen classifier for 28x28 grey images."""

from __future__ import annotations

from torch import Tensor, nn


class LeNet(nn.Module):
    """Two 5x5 convolutions, two fully connected layers; 128 features after the last ReLU.

    Input: float (N, 1, 28, 28) in [-1, 1]. Output: features (N, 128) and logits (N, classes).
    """

    shape = (1, 28, 28)
    feature_dim = 128

    def __init__(self, classes: int = 10) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(1, 32, 5, bias=False), nn.BatchNorm2d(32), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(32, 64, 5, bias=False), nn.BatchNorm2d(64), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Linear(64 * 4 * 4, self.feature_dim), nn.ReLU(),
        )  # fmt: skip
        self.dropout = nn.Dropout(0.5)
        self.head = nn.Linear(self.feature_dim, classes)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        features = self.body(images)
        return features, self.head(self.dropout(features))
