"""Every model that ships, beside its row on the quick board: ``python benchmarks/zoo.py`` writes docs/models.md.

Nothing is trained here: figures are read from the records under `leaderboards/`.
"""

from __future__ import annotations

import sys
from pathlib import Path

from ganbench.boards.aggregate import Row
from ganbench.boards.board import build_board, published_store
from ganbench.boards.formatting import BLANK, interval
from ganbench.boards.publish import read_request
from ganbench.metric import HEADLINE
from ganbench.registry.builtins import discover
from ganbench.registry.registry import Registered

ROOT = Path(__file__).parents[1]
BOARDS = ROOT / "leaderboards"
PAGE = ROOT / "docs" / "models.md"
TRACK = "mnist5k-quick"
TIMES = 5
"""How many times better than noise a model's FID is to be."""
WHAT = {
    "aae": "adversarial autoencoder: codes that a discriminator takes for N(0, I)",
    "acgan": "auxiliary classifier GAN: the discriminator also names the class",
    "ae-gmm": "plain autoencoder, a mixture fitted to its codes",
    "began": "boundary equilibrium GAN: the discriminator is an autoencoder",
    "beta-vae": "conv-vae with a heavier KL term",
    "cgan": "conditional GAN: both networks are told the label",
    "class-gaussian": "one Gaussian a class over principal components",
    "conv-vae": "VAE with convolutions",
    "cvae": "conditional VAE",
    "dcgan": "deep convolutional GAN",
    "dcgan-tutorial": "the network of TensorFlow's tutorial, to the letter",
    "dragan": "GAN with a gradient penalty around real images",
    "ddpm": "denoising diffusion with a small U-Net, few sampling steps",
    "draw": "recurrent VAE that paints on a canvas",
    "flow-matching": "velocities from noise to data along straight lines, a small U-Net",
    "gmm": "mixture of Gaussians over principal components",
    "hmm": "hidden Markov model over rows (needs the extra `hmm`)",
    "infogan": "GAN whose code can be guessed from the image",
    "iwae": "VAE with the importance weighted bound",
    "lsgan": "least squares GAN",
    "lstm-vae": "VAE with LSTMs over rows",
    "mlp-bn": "fully connected GAN with batch normalisation and dropout",
    "projection-gan": "projection discriminator, hinge loss, spectral normalisation",
    "r3gan": "relativistic pairing with R1 and R2, in small",
    "rae-gp": "regularised autoencoder, gradient penalty, fitted mixture",
    "rae-l2": "regularised autoencoder, weight decay, fitted mixture",
    "self-conditioned-gan": "conditional GAN told k-means clusters instead of labels",
    "sngan": "spectral normalisation, hinge loss",
    "two-stage-vae": "a second VAE over the codes of the first",
    "vae": "VAE, fully connected",
    "vae-gan": "VAE whose reconstruction error is a discriminator's",
    "vae-gmm": "conv-vae, a mixture fitted to its codes",
    "vamp": "VAE whose prior is a mixture of posteriors of learned pseudo-inputs",
    "vanilla": "the first GAN, fully connected",
    "vq-vae": "vector-quantised VAE, a learned prior over its codes",
    "wae-mmd": "Wasserstein autoencoder: codes held to N(0, I) by MMD",
    "wgan": "Wasserstein GAN, clipped weights",
    "wgan-gp": "Wasserstein GAN, gradient penalty",
}
TRIED = {
    "vanilla": "learning rates of 2e-4, 5e-4 and 1e-3, batches of 16, 32 and 64, 128 and 256 units, latents of 16 and "
    "32",
    "vae": "learning rates of 1e-3 and 2e-3, batches of 16, 32 and 64, latents of 10 and 20, 500 and 1,000 units, beta "
    "of 0.5 and 1, the Gaussian likelihood; a person reads most of its digits",
    "mlp-bn": "a learning rate of 1e-3, and with it latents of 16 and averaged weights, averaged weights and shifted "
    "images; of 2e-4, the tutorials', for a third of the budget",
    "dcgan-tutorial": "batches of 16 alone; the tutorial goes over 60,000 images 50 times, this budget once",
    "wgan-gp": "batches of 16 and 32, a penalty of 1 and 10, learning rates of 5e-4 and 1e-3",
    "wgan": "clipping at 0.01, 0.03, 0.06 and 0.1 with learning rates from 3e-4 to 1e-3; no batch normalisation in the "
    "critic with batches of 32",
    "began": "for parts of the budget a tanh output of the autoencoder, with lambda_k of 0.001 and 0.5, which "
    "collapsed to black; gamma of 0.5, or 64 codes and no shifts, which collapsed too; lambda_k of 0.01, which did "
    "no better; its defaults draw thin digits, ones above all, "
    "or collapse as well (1 of 3 seeds)",
    "class-gaussian": "50, 100, 200 and 400 principal components; one Gaussian a class is what it is",
    "hmm": "its defaults alone; a row that knows no more of the row above than one state breaks strokes",
    "conv-vae": "beta of 0.2, 0.7 and 1, latents of 5 to 12, a Gaussian likelihood, a decoder without the hidden layer "
    "that is there now; a person reads its digits, LeNet sees that they are blurred",
    "beta-vae": "its defaults alone; above 1 beta blurs, which is what it is for",
    "cvae": "a decoder without a hidden layer, which half ignored labels, and one with it; latents of 8 and 12",
    "aae": "batches of 16 and 32",
    "draw": "batches of 16 and 32 without attention, and, for a third of the budget, with it: that learned more slowly",
    "lstm-vae": "batches of 8 and 16 with a learning rate of 2e-3, of 32 with 1e-3",
    "two-stage-vae": "first variances from exp(-3) and exp(-4), second ones from exp(0), exp(-2), exp(-3) and exp(-5), "
    "256 and 512 units, latents of 6 and 10",
    "wae-mmd": "latents of 8 and 10, weights of 100, 200 and 300, batches of 16 and 32",
}
"""What was tried on seed 100 of the track, one run a setting, for models that may miss it."""
HEAD = f"""# The models that ship

Written by `python benchmarks/zoo.py`. FID is that of the records of [`{TRACK}`](../leaderboards/{TRACK}.md): 60,000
images seen, geometric means over training seeds with 95 % intervals, in LeNet's features (they compare here and
nowhere else). Hyper-parameters are sized for that budget, and chosen on seed 100; what differs from the paper stands at
the top of each file in [`plugins/`](../plugins).

`ganbench run --plugins all` runs them all. Every GAN but `vanilla` takes `ema`, `translation`, `cutout`, `brightness`,
`clip_gradient` and `discriminator_steps`: `ganbench run --plugins "lsgan,lsgan[ema=0]"`.

"""


def link(paper: str) -> str:
    return f"[{paper}](https://arxiv.org/abs/{paper[6:]})" if paper.startswith("arXiv:") else BLANK


def line(entry: Registered, row: Row | None) -> str:
    model = entry.thing
    file = sys.modules[model.__module__].__name__.rpartition(".")[2]
    fid = interval(row.metrics.get("fid"), HEADLINE) if row else BLANK
    cells = [
        f"[`{model.name}`](../plugins/{file}.py)", model.family, WHAT[model.name], link(model.paper),
        "labels" if model.conditional else "", model.sampler(model.Config()), fid,
    ]  # fmt: skip
    return f"| {' | '.join(cells)} |"


def main() -> None:
    board = build_board(read_request(BOARDS / TRACK), [published_store(BOARDS, TRACK)])
    rows = {each.row.label: each.row for each in board.rows}
    models = [entry for entry in discover().all("models") if entry.thing.__module__.startswith("ganbench_plugins.")]
    models.sort(key=lambda entry: (entry.thing.family, entry.name))
    lines = [
        "| model | family | what | paper | uses | samples are decoded from | FID |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [line(entry, rows.get(entry.name)) for entry in models]
    bar = rows["noise"].metrics["fid"].mean / TIMES
    short = [
        entry.name
        for entry in models
        if entry.name in rows and (found := rows[entry.name].headline) is not None and found.mean > bar
    ]
    lines += [
        "",
        f"## Less than {TIMES} times better than noise",
        "",
        f"FID above {bar:.0f}, a fifth of `noise`'s. LeNet sees blur more than people do: real digits under a 3x3 mean "
        "have FID 274 ([metrics](metrics.md)), so models whose samples are means are far from sharp ones. They stay on "
        "the board; what was tried:",
        "",
        *(f"- `{name}`: {TRIED.get(name, 'its defaults alone')}." for name in short),
    ]
    PAGE.write_text(HEAD + "\n".join(lines) + "\n")
    print(PAGE)


if __name__ == "__main__":
    main()
