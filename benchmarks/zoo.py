"""Every model that ships, beside its row on the quick board: ``python benchmarks/zoo.py`` writes docs/models.md.

Nothing is trained here: figures are read from the records under `leaderboards/`.
"""

from __future__ import annotations

import sys
from pathlib import Path

from tuning import tried_of

from ganbench.boards.aggregate import Row
from ganbench.boards.board import build_board, published_store
from ganbench.boards.formatting import BLANK, interval
from ganbench.boards.publish import read_request
from ganbench.experiment.settings_file import ModelSettings, read_settings
from ganbench.metric import HEADLINE
from ganbench.model import Model
from ganbench.registry.builtins import discover
from ganbench.registry.registry import Registered

ROOT = Path(__file__).parents[1]
BOARDS = ROOT / "leaderboards"
TUNING = BOARDS / "tuning"
PAGE = ROOT / "docs" / "models.md"
TRACK = "mnist5k-quick"
TIMES = 5
"""How many times better than noise a model's FID is to be."""
WHAT = {
    "aae": "adversarial autoencoder: codes that a discriminator takes for N(0, I)",
    "acgan": "auxiliary classifier GAN: the discriminator also names the class",
    "ae-gmm": "plain autoencoder, a mixture fitted to its codes",
    "began": "boundary equilibrium GAN: the discriminator is an autoencoder",
    "beta-tcvae": "conv-vae with a heavier total correlation",
    "beta-vae": "conv-vae with a heavier KL term",
    "biggan": "residual conditional GAN with self-attention and spectral normalisation, in small",
    "cgan": "conditional GAN: both networks are told the label",
    "class-gaussian": "one Gaussian a class over principal components",
    "conv-vae": "VAE with convolutions",
    "cvae": "conditional VAE",
    "dcgan": "deep convolutional GAN",
    "dcgan-tutorial": "the network of TensorFlow's tutorial, to the letter",
    "diffusers-ddpm": "diffusers' denoising diffusion, drawn by DDIM (needs diffusers, extra `peers`)",
    "dragan": "GAN with a gradient penalty around real images",
    "ddpm": "denoising diffusion with a small U-Net, few sampling steps",
    "draw": "recurrent VAE that paints on a canvas",
    "flow-matching": "velocities from noise to data along straight lines, a small U-Net",
    "gmm": "mixture of Gaussians over principal components",
    "hmm": "hidden Markov model over rows (needs the extra `hmm`)",
    "infogan": "GAN whose code can be guessed from the image",
    "iwae": "VAE with the importance weighted bound",
    "ladder-vae": "VAE with layers of latents, whose posterior shares the way down with the prior",
    "lsgan": "least squares GAN",
    "lstm-vae": "VAE with LSTMs over rows",
    "mlp-bn": "fully connected GAN with batch normalisation and dropout",
    "pacgan": "GAN whose discriminator judges two samples at once",
    "pixelcnn": "gated PixelCNN: pixel by pixel, the exact likelihood",
    "projection-gan": "projection discriminator, hinge loss, spectral normalisation",
    "pythae-ae": "pythae's plain autoencoder, a mixture fitted to its codes",
    "pythae-beta-tc-vae": "pythae's VAE with a heavier total correlation",
    "pythae-beta-vae": "pythae's VAE with a heavier KL term",
    "pythae-ciwae": "pythae's mean of the VAE's bound and the importance weighted one",
    "pythae-disentangled-beta-vae": "pythae's VAE whose KL term follows a rising capacity",
    "pythae-info-vae": "pythae's VAE with KL and MMD side by side",
    "pythae-iwae": "pythae's VAE with the importance weighted bound",
    "pythae-miwae": "pythae's mean of several importance weighted bounds",
    "pythae-rae-gp": "pythae's regularised autoencoder, gradient penalty on the input",
    "pythae-rae-l2": "pythae's regularised autoencoder, weight decay",
    "pythae-vae": "pythae's VAE, fully connected (needs pythae, extra `peers`, as all of its models)",
    "pythae-vae-iaf": "pythae's VAE, inverse autoregressive flows behind the posterior",
    "pythae-vae-lin-nf": "pythae's VAE, planar flows behind the posterior",
    "pythae-vamp": "pythae's VAE with a VampPrior",
    "pythae-wae-mmd": "pythae's Wasserstein autoencoder, MMD",
    "r3gan": "relativistic pairing with R1 and R2, in small",
    "rae-gp": "regularised autoencoder, gradient penalty, fitted mixture",
    "rae-l2": "regularised autoencoder, weight decay, fitted mixture",
    "realnvp": "normalising flow of affine couplings",
    "self-conditioned-gan": "conditional GAN told k-means clusters instead of labels",
    "sngan": "spectral normalisation, hinge loss",
    "stylegan2": "styles modulate convolutions; lazy R1, adaptive augmentation, in small",
    "two-stage-vae": "a second VAE over the codes of the first",
    "unrolled-gan": "GAN whose generator sees the discriminator's next updates",
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
WHY = {
    "vanilla": "fully connected, without an average of weights: its strokes are grainy",
    "mlp-bn": "fully connected, without an average of weights: its strokes are grainy",
    "dcgan-tutorial": "the tutorial's small learning rate and no average of weights; it goes over 60,000 images 50 "
    "times, this budget once",
    "wgan": "clipping leaves the critic little capacity, which takes more updates than this budget has",
    "ddpm": "a denoiser learns slowly, and papers train it for hundreds of epochs; more sampling steps change little",
    "flow-matching": "as ddpm: its network learns slowly, and more sampling steps change little",
    "stylegan2": "its networks learn slowly: digits are still shapeless when the budget ends",
    "pixelcnn": "strokes are sharp but wander, as no layer sees the whole image within this budget",
    "realnvp": "a flow fits all pixels' noise with as much effort as their digits",
    "began": "its discriminator must learn to rebuild images first, at a small learning rate",
    "class-gaussian": "one Gaussian a class is what it is",
    "hmm": "a row that knows no more of the row above than one state breaks strokes",
    "beta-vae": "above 1 beta blurs, which is what it is for",
}
"""Why a model may miss the bar, beside what was tried."""
BLURRED = "its samples are means, which LeNet sees as blurred; a person reads most of its digits"
HEAD = f"""# The models that ship

Written by `python benchmarks/zoo.py`. FID is that of the records of [`{TRACK}`](../leaderboards/{TRACK}.md): 60,000
images seen, geometric means over training seeds with 95 % intervals, in LeNet's features (they compare here and
nowhere else), blank where no run is published. Hyper-parameters are sized for that budget; `ganbench tune` searches
them on the validation split, and [tuning](tuning.md) says how far the search has come. What differs from the paper
stands at the top of each file in `plugins/`.

`ganbench run --plugins all` runs them all. Every GAN takes `ema`, `translation`, `cutout`, `brightness`,
`clip_gradient`, `discriminator_steps`, `lr_ratio` and `decay_steps`: `ganbench run --plugins "lsgan,lsgan[ema=0]"`.

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


def explained(model: type[Model], found: ModelSettings | None) -> str:
    """Return why a model may miss the bar, and what was tried."""
    tried = f"tried: {tried_of(model, found)}" if found is not None else "not tuned: its defaults alone"
    return f"- `{model.name}`: {WHY.get(model.name, BLURRED)}; {tried}."


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
        entry
        for entry in models
        if entry.name in rows and (found := rows[entry.name].headline) is not None and found.mean > bar
    ]
    tuned = read_settings(TUNING / f"{TRACK}.json").models if (TUNING / f"{TRACK}.json").exists() else {}
    lines += [
        "",
        f"## Less than {TIMES} times better than noise",
        "",
        f"FID above {bar:.0f}, a fifth of `noise`'s. LeNet sees blur more than people do: real digits under a 3x3 mean "
        "have FID 274 ([metrics](metrics.md)), so models whose samples are means are far from sharp ones. They stay on "
        "the board; what `ganbench tune` tried ([tuning](tuning.md)):",
        "",
        *(explained(entry.thing, tuned.get(entry.name)) for entry in short),
    ]
    PAGE.write_text(HEAD + "\n".join(lines) + "\n")
    print(PAGE)


if __name__ == "__main__":
    main()
