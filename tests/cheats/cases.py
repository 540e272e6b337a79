"""What a contestant may try, and what the board shows: asserted by the tests here, and the page in the docs.

python -m tests.cheats.cases        writes docs/cheats.md, all but the table that benchmarks/cheats.py measures
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "cheats.md"
MARKS = "<!-- calibration -->", "<!-- /calibration -->"


@dataclass(frozen=True)
class Cheat:
    """A cheat in words; `shows` stands in the note of its row, where it is cut at figures that differ from run to run.

    Where it changes nothing, `instead` says why.
    """

    does: str
    shows: str = ""
    instead: str = ""


NO_WAY = "it scores as an honest model does"
MODELS: dict[str, Cheat] = {
    "Honest": Cheat("nothing, beside all these", instead="its row has no note"),
    "AnotherName": Cheat(
        "the same under another name, to draw another seed",
        instead="seeds depend on the data set and the repetition alone: same seed, same samples, same scores",
    ),
    "ReadsItsJob": Cheat(
        "searches its process for held-out images, and the file that its data came from",
        instead="neither job nor file holds any, nor their hashes, nor an extractor's name: " + NO_WAY,
    ),
    "ShowsTraining": Cheat(
        "shows training images, mirrored or noisy",
        shows="copies training images: 100% of its samples are near-copies of one",
    ),
    "ShowsTest": Cheat(
        "loads the test split in `finish` and shows it",
        shows="shows images that it is compared with: 100% of its samples are near-copies of one; "
        "scores better than real images do",
    ),
    "LearnsInSample": Cheat(
        "trains a copy of itself in `sample`, and throws it away",
        shows="it computed gradients while it drew samples: it may have trained in `sample`",
    ),
    "LearnsInAThread": Cheat(
        "trains in a thread, for which the clock does not stop",
        shows="it has a thread running while it draws samples",
    ),
    "LearnsInFinish": Cheat(
        "makes updates of its own in `finish`, without gradients",
        shows="its weights changed in `finish`: it may have trained there, beyond its budget",
    ),
    "DescendsInFinish": Cheat(
        "trains in `finish` alone, so that a budget of images is never spent",
        shows="it computed gradients in `finish`: it may have trained there, beyond its budget",
    ),
    "PatchesTheLoop": Cheat(
        "patches the training loop to go on",
        shows="failed: __init__ changed ganbench.training.loop.Loop._goes_on: a model must leave it alone",
    ),
    "ReplacesTheClock": Cheat(
        "slows the clock where the harness has bound it",
        shows="failed: __init__ changed ganbench.training.phase_timer.perf_counter: a model must leave it alone",
    ),
    "SlowsTheClockInC": Cheat(
        "puts another C function behind `time.perf_counter` (ctypes)",
        shows="failed: __init__ changed the clock: ",
    ),
    "BlindsTheGuard": Cheat(
        "slows the clock and takes away what watches it in the worker",
        shows="its clock was slow: it trained for ",
    ),
}


@dataclass(frozen=True)
class Elsewhere:
    """A cheat that another test injects, named as pytest names it."""

    does: str
    then: str
    test: str


FAULTS, CHECKS = "tests/faults/test_models.py", "tests/boards/test_checks.py"
ELSEWHERE = (
    Elsewhere(
        "shows training images that are shifted, mirrored, dim and noisy",
        "note: copies training images",
        "tests/metrics/test_duplicates.py::test_copies_are_known_whatever_was_done_to_them",
    ),
    Elsewhere(
        "shows noise that is fitted to the extractor",
        "note: may be fitted to the extractor; its spectrum shows it",
        "tests/cheats/test_samples.py::test_noise_that_is_fitted_to_an_extractor_shows_in_pixels",
    ),
    Elsewhere(
        "the same, before a second extractor",
        "note: may be fitted to the extractor; it is noise to the other one",
        "tests/cheats/test_samples.py::test_it_shows_under_an_extractor_that_it_was_not_fitted_to",
    ),
    Elsewhere(
        "patches the metrics, the evaluator and the scorer",
        "another process scores, which never imports a model: " + NO_WAY,
        f"{FAULTS}::test_what_reaches_for_the_scorer_scores_as_an_honest_twin",
    ),
    Elsewhere(
        '`self.role = "ceiling"`, to be handed held-out images',
        "the training side has none to hand over: it is given training images",
        f"{FAULTS}::test_a_model_that_calls_itself_a_ceiling_is_given_training_images",
    ),
    Elsewhere(
        "trains in `sample`, and keeps what it learns",
        "note: its weights changed while it drew samples: it may have trained in `sample`",
        f"{FAULTS}::test_a_fault_of_a_model_is_one_row",
    ),
    Elsewhere(
        "another function as `time.perf_counter`",
        "failed: __init__ changed time.perf_counter",
        f"{FAULTS}::test_a_fault_of_a_model_is_one_row",
    ),
    Elsewhere(
        "a model named `noise`, `real` or `replay`",
        "it is left out and named; every other model runs",
        "tests/registry/test_discovery.py::test_names_of_baselines_are_reserved",
    ),
    Elsewhere(
        "a plugin that breaks, or a `Config` without a default",
        "it is left out and named; every other model runs",
        "tests/registry/test_discovery.py::test_a_broken_plugin_is_reported_and_left_out",
    ),
    Elsewhere(
        "likelihoods that no distribution has",
        "note: below -7 bits per dimension is impossible for 256 levels (0 for two); no value in NLL and bits/dim",
        "tests/scoring/test_builtin_metrics.py::test_likelihoods_that_no_distribution_has_are_not_scored",
    ),
    Elsewhere(
        "an edited record: other hyper-parameters",
        "refused: its key is not that of what it says of itself",
        f"{CHECKS}::test_a_key_that_is_not_that_of_the_content_is_refused",
    ),
    Elsewhere(
        "a seed that was searched for",
        "refused: it is not that of its index",
        f"{CHECKS}::test_a_seed_that_was_searched_for_is_refused",
    ),
    Elsewhere(
        "scores of other samples than the run's",
        "refused: their sha256 differs",
        f"{CHECKS}::test_scores_of_other_samples_are_refused",
    ),
)

HEAD = """# What a contestant may try

A leaderboard is worth what its rows can be trusted for. Here is what a model could do to stand higher than it should,
what the board shows of it, and what it cannot show. `python -m tests.cheats.cases` makes this page from
`tests/cheats`, where each of these is injected for real.

A note stands under the table of a board, in its CSV (`note`), its JSON and its report. It ranks nothing and removes
nothing: it tells you what to look at. A run that tampers with its process has failed, and counts as the worst.
"""

MEASURES = """## How copies and deceived extractors are found

Three columns of the standard set look at pixels, so that no extractor can be deceived. They are in the CSV, the JSON
and the report of a board, and cost 0.11 s of a core for 1,000 digits against 3,000 (`python benchmarks/scoring.py`).

- **Dup** (`duplicates`): the share of samples that are nearer to one training image than 99 of 100 unseen real images
  are. Nearer means that the nearest training image is much nearer than the second nearest: the ratio of both distances
  tells copies from plain images that resemble many (arXiv:2310.02664). Distances are taken between slow waves of the
  grey pixels (at most 7 across), over 25 shifts by up to 1/14 of a side, mirrored or not. The threshold is the ratio
  that 1 of 100 reference images falls below: so often is a sample called a copy that is none. The board says *copies
  training images* above 0.15: that far 100 samples that copy nothing do not come by chance (binomial, below 1e-12).
- **Leak** (`leaks`): the same against the images that samples are compared with; the threshold is from each reference
  image against the others.
- **Spec** (`spectrum`): the largest difference between the mean power spectra of samples and real images, in decades
  (arXiv:2003.01826). Where the FID is below a tenth of that of noise and the spectrum is off by more than 0.4, the
  board says *may be fitted to the extractor*.

A second extractor that nobody fitted to sees more than the spectrum can. Let a board's runs be scored by one:

    ganbench score --track mnist5k-quick --extractor lenet-fashion-mnist

Its FID stands beside the first; where its part of the FID of noise is more than 2.5 times the first's, the board says
*may be fitted to the extractor*.

`python benchmarks/cheats.py RUNS --write` measured how far honest runs lie from these thresholds, and cheats beyond:

"""

UNSEEN = """## What cannot be seen

- **A model that learns from the test split in moderation.** The data sets are public, and a worker can read what its
  user can. Copies show, and so does a score beyond that of real images; a model that was trained on training and test
  images alike, and copies neither, only looks good. Reading its code shows it.
- **Copies that are changed enough**: turned by more than some 10 degrees, stretched by much more than a tenth,
  blended, or a share below 15 %. Authenticity and C_T look at features and see some of these.
- **Samples fitted to the extractor and to the spectrum** where no second extractor is asked.
- **More updates than others for each image**: a budget of images counts images as batches are handed out. A model may
  keep them and train on them again and again. Seconds and FLOPs stand in the record and on the board; a track with a
  budget of time makes them equal.
- **Time that a budget of images does not count.** `finish` is given all images at once, as a mixture over codes needs;
  gradients, changed weights, and more than half of training (if that is over a minute) are noted, but a network that
  is held in plain arrays and trained by hand in less is not.
- **Children.** A process that a model starts may compute while its parent draws samples. It ends with the run, and
  time by the engine's clock goes on, so that it gains little under a budget of time, and more under one of images.
- **A model that rewrites its own worker** beyond what the guard looks at. It shares a process with the loop, and may
  claim fewer images than it saw. The engine's own clock limits the lie to the time that truly passed.
- **Files.** A worker has your rights: it can write into the package, the cache and other runs. Samples, checkpoints
  and records are known by their hashes, which show damage and no intent. Run models that you do not trust under
  another user or in a container, and score their samples on a clean machine: `ganbench score` needs samples alone.
- **A record that was made up whole.** `ganbench reproduce` trains the row again and compares every sample.
- **Likelihoods.** What lies within the possible is taken at a model's word.
- **Hyper-parameters chosen against the test split.** The board says how many runs a row's were chosen from where a
  search did it; what happened elsewhere it does not know.
- **A tenth try.** Nobody can publish the best of several sets of seeds, since seeds are fixed. Anybody can publish the
  best of several versions of a model.
"""


def page(calibration: str) -> str:
    """Return docs/cheats.md around the text that benchmarks/cheats.py writes."""
    parts = [HEAD, "## In its own code\n", "| a model | what the board shows |", "|---|---|"]
    for cheat in MODELS.values():
        cut = " …" if cheat.shows.endswith((" ", ".")) else ""
        then = cheat.instead or ("`" + cheat.shows.strip().replace("`", "'") + cut + "`")
        parts.append(f"| {cheat.does} | {then} |")
    parts += ["", "## In its samples, and around it\n"]
    parts += ["| somebody | what happens | test |", "|---|---|---|"]
    parts += [f"| {each.does} | {each.then} | `{each.test.partition('::')[0]}` |" for each in ELSEWHERE]
    return "\n".join([*parts, "", f"{MEASURES}{MARKS[0]}{calibration}{MARKS[1]}", "", UNSEEN])


def calibration_of(text: str) -> str:
    """Return what stands between the marks of a page."""
    return text.partition(MARKS[0])[2].partition(MARKS[1])[0]


if __name__ == "__main__":
    PAGE.write_text(page(calibration_of(PAGE.read_text()) if PAGE.exists() else "\n"))
