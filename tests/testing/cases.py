"""Mistakes of authors, and what says so: asserted by the tests here and of `tests/faults`, and a table in the docs.

python -m tests.testing.cases        writes docs/mistakes.md
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ganbench.model import Model

from ..faults.cases import MODELS
from . import models as m

PAGE = Path(__file__).parents[2] / "docs" / "mistakes.md"


@dataclass(frozen=True)
class Mistake:
    """A mistake; `says` stands in what the check named `check` says. `run` is the fault of `tests/faults` that is the
    same mistake in a run, where that says so, too."""

    what: str
    check: str
    says: str
    run: str = ""


MISTAKES: dict[type[Model], Mistake] = {
    m.Nameless: Mistake("a class without a `name`", "has_a_config_of_typed_fields_with_defaults",
        'has no name: give it `name = "..."`'),
    m.CalledNoise: Mistake("a model called as a baseline is", "has_a_config_of_typed_fields_with_defaults",
        "model name 'noise' is reserved for a baseline of every board"),
    m.ConfigOfItsOwn: Mistake("a `Config` that is no dataclass", "has_a_config_of_typed_fields_with_defaults",
        "its Config is not a frozen dataclass"),
    m.WithoutADefault: Mistake("a hyper-parameter without a default", "has_a_config_of_typed_fields_with_defaults",
        "its Config has no default for 'lr'"),
    m.UnsavableConfig: Mistake("a hyper-parameter that JSON cannot hold", "has_a_config_of_typed_fields_with_defaults",
        "cannot be saved as JSON"),
    m.Double: Mistake("`torch.set_default_dtype` in `__init__`", "leaves_global_state_alone",
        "__init__ changed torch's default dtype from torch.float32 to torch.float64", "SetsTheDtype"),
    m.Threads: Mistake("`torch.set_num_threads` in `step`", "leaves_global_state_alone",
        "step changed torch's number of threads from", "SetsThreads"),
    m.Moving: Mistake("`os.chdir` in `step`", "leaves_global_state_alone",
        "step changed the working directory from", "ChangesFolder"),
    m.Handling: Mistake("a signal handler in `sample`", "leaves_global_state_alone",
        "sample changed the handler of SIGTERM from", "IgnoresSignals"),
    m.Silent: Mistake("closing standard output in `step`", "leaves_global_state_alone",
        "step changed standard output from", "ClosesStdout"),
    m.Global: Mistake("`torch.use_deterministic_algorithms` in `step`", "leaves_global_state_alone",
        "step changed torch's deterministic mode from False to True"),
    m.Reseeding: Mistake("`torch.manual_seed(0)` in `__init__`", "leaves_seeds_alone",
        "__init__ changed torch's seed from"),
    m.ReseedingSteps: Mistake("`torch.manual_seed(0)` in `step`", "leaves_seeds_alone",
        "step changed torch's seed from", "SeedsTorch"),
    m.SeedingPython: Mistake("`random.seed(0)` in `step`", "leaves_seeds_alone", "step seeds the generator of random"),
    m.SameWeights: Mistake("weights from a generator with a seed of its own", "leaves_seeds_alone",
        "two seeds give the same weights"),
    m.FloatLoss: Mistake("a loss that is a float", "returns_finite_losses",
        "loss 'loss' is no 0-d tensor but a float"),
    m.NoLoss: Mistake("a `step` that returns None", "returns_finite_losses",
        "step returned NoneType, not losses by name"),
    m.LossOfEach: Mistake("a loss for each image of the batch", "returns_finite_losses",
        "loss 'loss' is no 0-d tensor but of shape (8,)"),
    m.NotANumber: Mistake("a loss that becomes NaN", "returns_finite_losses",
        "loss 'loss' is nan in step 4", "LosesItsLoss"),
    m.Failing: Mistake("an exception in `step`", "returns_finite_losses",
        "step raised RuntimeError: mat1 and mat2 shapes cannot be multiplied", "RaisesInStep"),
    m.LeavesBySysExit: Mistake("`sys.exit` in `step`", "returns_finite_losses",
        "step raised SystemExit: 3", "LeavesByExit"),
    m.Relabelling: Mistake("changing the batch in place", "returns_finite_losses",
        "step changed the images or labels that it was given"),
    m.Saturating: Mistake("the logarithm of a probability that rounds to 1 in bfloat16",
        "returns_finite_losses_under_bfloat16", "loss 'surprise' is inf in step 1 under bfloat16 autocast"),
    m.Storing: Mistake("a float32 tensor that stores what a layer gave", "returns_finite_losses_under_bfloat16",
        "set autocast = False"),
    m.Rough: Mistake("`sample` uses what a layer gave in `step`", "samples_what_it_learnt_under_bfloat16",
        "sample raised RuntimeError"),
    m.IgnoresImages: Mistake("a `step` that does not look at its images", "learns_from_its_batch",
        "its training ignores the images"),
    m.WithoutStep: Mistake("neither `step` nor `finish`, or under another name", "learns_from_its_batch",
        "defines neither step nor finish"),
    m.NeverUpdates: Mistake("an optimiser whose `step()` is never called", "updates_its_weights",
        "no weight has changed after 100 steps"),
    m.IgnoresLabels: Mistake("`conditional = True`, and a `sample` that ignores labels", "uses_its_labels",
        "sample gives the same for other labels"),
    m.LearnsWithoutLabels: Mistake("`conditional = True`, and a `step` that ignores labels", "uses_its_labels",
        "its training ignores the labels"),
    m.NeedsLabels: Mistake("`sample` and `step` that take labels for granted", "learns_without_labels",
        "on data without labels (classes is 0) step raised TypeError"),
    m.HiddenInAList: Mistake("networks in a plain list", "registers_its_weights",
        "self.critics[0].weight is not among parameters()"),
    m.HiddenInAnOptimiser: Mistake("weights that only an optimiser knows", "registers_its_weights",
        "weight 0 of self.other is not among parameters()"),
    m.OneTooMany: Mistake("another number of samples than asked for", "samples_any_number",
        "sample returned shape (2, 1, 4, 4), expected (1, 1, 4, 4)", "WrongShape"),
    m.ReturnsANumpyArray: Mistake("samples that are no tensor", "samples_any_number",
        "sample returned ndarray, not a tensor"),
    m.EndsInASigmoid: Mistake("samples in [0, 1] instead of [-1, 1]", "samples_below_zero",
        "no value of its samples is below 0", "ReturnsUnits"),
    m.Deaf: Mistake("samples that are always the same", "is_decided_by_its_seed", "another seed gave the same samples"),
    m.Unlike: Mistake("a loss that depends on what happened before in the process", "is_decided_by_its_seed",
        "the same seed gave other losses"),
    m.UnlikeSamples: Mistake("samples that depend on what happened before in the process", "is_decided_by_its_seed",
        "the same seed gave other samples"),
    m.Watched: Mistake("`sample` changes how training goes on", "is_not_disturbed_by_sampling",
        "sampling, or saving its state, changed its training"),
    m.WornBySaving: Mistake("`extra_state` changes the model", "is_not_disturbed_by_sampling",
        "sampling, or saving its state, changed its training"),
    m.Forgetful: Mistake("state outside the model, such as a class attribute", "samples_the_same_from_its_checkpoint",
        "loaded from a checkpoint it samples otherwise"),
    m.Clustering: Mistake("an estimator of scikit-learn's that `finish` makes", "samples_the_same_from_its_checkpoint",
        "self.clusters is a KMeans, and in a new model None: make it in __init__"),
    m.Growing: Mistake("an estimator whose state no file can hold", "samples_the_same_from_its_checkpoint",
        "self.tree.tree_ is a Tree, which a checkpoint cannot hold: return its state from extra_state()"),
    m.Iterating: Mistake("an iterator as an attribute", "goes_on_from_a_checkpoint",
        "self.numbers is a range_iterator, which a checkpoint cannot hold", "Iterates"),
    m.Scheduled: Mistake("a scheduler that the first `step` makes", "goes_on_from_a_checkpoint",
        "self.scheduler is a StepLR, and in a new model None: make it in __init__"),
    m.Rising: Mistake("`transient` names a counter that `extra_state` leaves out", "goes_on_from_a_checkpoint",
        "gone on from a checkpoint its losses are others"),
    m.Averaging: Mistake("the same, where only samples show it", "goes_on_from_a_checkpoint",
        "gone on from a checkpoint its samples are others"),
    m.NoiseOnTheCPU: Mistake("noise on the CPU in `sample`", "keeps_to_its_device",
        "sample mixes tensors of two devices"),
    m.MaskOnTheCPU: Mistake('`device="cpu"` in `step`', "keeps_to_its_device", "step mixes tensors of two devices"),
}  # fmt: skip

HEAD = """# Mistakes, and what says so

`ganbench check` applies the rules of [authors.md](authors.md) to a model before a benchmark does. Each mistake
here is made in a model of `tests/testing/models.py`, and the tests check that the rule beside it prints the line:
`python -m tests.testing.cases` writes this page. What a run says of the same mistake is tested in
[faults.md](faults.md).

A check stops at nothing: all rules are applied, and one that ends its process, or does not return within five minutes,
is told as any other that is broken. What a model changes in its process is put back before the next rule.

| mistake | rule | what the check says | what a run says |
|---|---|---|---|
"""
TAIL = """
Two more cannot be made any longer. Another name draws no other seed: seeds depend on the data set and the number of
the repetition alone. A thing with a mistake in its description, such as a model called `noise` or a hyper-parameter
without a default, is left out when plugins are loaded, and what its package registers beside it is not:
`ganbench plugins` lists it as broken.
"""


def page() -> str:
    """Return docs/mistakes.md."""
    rows = []
    for mistake in MISTAKES.values():
        run = f"`{MODELS[mistake.run].says}`" if mistake.run and MODELS[mistake.run].says else "–"
        rows.append(f"| {mistake.what} | {mistake.check} | {mistake.says} | {run} |")
    return HEAD + "\n".join(rows) + "\n" + TAIL


if __name__ == "__main__":
    PAGE.write_text(page())
