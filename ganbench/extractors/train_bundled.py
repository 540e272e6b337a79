"""How the bundled LeNets were made: ``python -m ganbench.extractors.train_bundled mnist --out FILE``, or fashion-mnist.

A LeNet is trained on the 60,000 official training images, less the 5,000 that `mnist5k` holds: an extractor must not
have seen the images that it compares. Its accuracy on the official 10,000 test images is measured once, at the end.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

from ganbench.data.dataset import Split
from ganbench.data.embedded import mnist5k_digits
from ganbench.data.mnist import official_splits
from ganbench.extractors.lenet import LeNet
from ganbench.extractors.train import EPOCHS, accuracy, train

SETS = {"mnist": "MNIST", "fashion-mnist": "FashionMNIST"}
"""Data sets, and the folders that torchvision keeps them in."""


def without_mnist5k(split: Split) -> Split:
    """Drop the images that the embedded data set contains, pixel for pixel."""
    embedded = {image.tobytes() for image in mnist5k_digits()[0]}
    keep = np.array([image.tobytes() not in embedded for image in split.images])
    assert split.labels is not None
    return Split(split.images[keep], split.labels[keep])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dataset", choices=sorted(SETS))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--data-dir", type=Path)
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    train_split, test_split = official_splits(arguments.dataset, SETS[arguments.dataset], arguments.data_dir)
    if arguments.dataset == "mnist":
        train_split = without_mnist5k(train_split)
    print(f"{arguments.dataset}: {len(train_split):,} training images, torch {torch.__version__}", flush=True)
    flip = arguments.dataset == "fashion-mnist"
    model = train(train_split, LeNet, LeNet.shape, epochs=arguments.epochs, flip=flip, seed=arguments.seed)
    result = accuracy(model, test_split, LeNet.shape)
    print(f"accuracy on the {len(test_split):,} official test images: {result:.4f}", flush=True)
    metadata = {"dataset": arguments.dataset, "accuracy": f"{result:.4f}", "seed": str(arguments.seed)}
    save_file(model.state_dict(), arguments.out, metadata=metadata)


if __name__ == "__main__":
    main()
