"""What can go wrong, what the user then sees, and what is left: asserted by the tests here, and the table in the docs.

python -m tests.faults.cases        writes docs/faults.md
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "faults.md"


@dataclass(frozen=True)
class Fault:
    """A fault; `says` stands in what is printed or in the record, `exit` is the command's, `left` is in the store."""

    injected: str
    says: str
    exit: int
    left: str


RECORD_OK = "record: ok"
SAME = "record: ok, the same as undisturbed"
GOES_ON = "no record of it; the same command goes on, and its record is the same as undisturbed"

MODELS: dict[str, Fault] = {
    "RaisesInInit": Fault("an exception in `__init__`", "failed: ValueError: no such layer", 1, "record: failed"),
    "RaisesInStep": Fault("an exception in `step`", "failed: ZeroDivisionError", 1, "record: failed"),
    "RaisesInSample": Fault("an exception in `sample`", "failed: KeyError", 1, "record: failed"),
    "RaisesInFinish": Fault("an exception in `finish`", "failed: RuntimeError: singular", 1, "record: failed"),
    "LeavesByExit": Fault("`sys.exit(3)` in `step`", "failed: SystemExit: 3", 1, "record: failed"),
    "Leaves": Fault(
        "`os._exit(7)` in `step`",
        "failed: the worker ended with status 7 and no record: the last words",
        1,
        "record: failed",
    ),
    "Segfaults": Fault(
        "a segfault (`ctypes.string_at(0)`)", "failed: the worker crashed with SIGSEGV", 1, "record: failed"
    ),
    "KillsItself": Fault(
        "SIGKILL to the worker, from outside",
        "killed: the worker was ended by SIGKILL, which ganbench did not send",
        1,
        "record: killed",
    ),
    "HangsInInit": Fault(
        "an endless loop in `__init__`", "timeout: stalled: no progress for 12 s during building", 1, "record: timeout"
    ),
    "HangsInStep": Fault(
        "an endless loop in `step` that ignores SIGTERM",
        "timeout: stalled: no progress for 12 s during training",
        1,
        "record: timeout",
    ),
    "HangsInSample": Fault(
        "an endless loop in `sample`", "timeout: stalled: no progress for 12 s during sampling", 1, "record: timeout"
    ),
    "HangsInCounting": Fault(
        "an endless loop in a step beyond the budget, where FLOPs are counted", "", 1, RECORD_OK + "; without FLOPs"
    ),
    "LosesItsLoss": Fault("NaN in a loss", "diverged: loss 'critic' became nan", 1, "record: diverged"),
    "LosesItsSamples": Fault("NaN in samples", "diverged: sample returned NaN or inf", 1, "record: diverged"),
    "WrongShape": Fault(
        "samples of another shape",
        "failed: sample returned shape (100, 1, 8, 7), expected (100, 1, 8, 8)",
        1,
        "record: failed",
    ),
    "Bright": Fault(
        "samples beyond [-1, 1]", "failed: sample returned values in [1.5, 1.5], beyond [-1, 1]", 1, "record: failed"
    ),
    "Grows": Fault("memory growth past `--memory-limit 2GiB`", "oom: ", 1, "record: oom"),
    "Forks": Fault("children that outlive their run", "", 1, RECORD_OK + "; the children are gone"),
    "Prints": Fault("100 MB printed", "", 1, RECORD_OK + "; a log of at most 1 MiB, with the last lines"),
    "LeavesAThread": Fault(
        "a thread that never ends", "it has a thread running while it draws samples", 1, RECORD_OK + "; flagged"
    ),
    "Iterates": Fault("state that no file can hold", "", 1, RECORD_OK + "; its log says why it has no checkpoint"),
    "TrainsInSample": Fault(
        "training in `sample`",
        "its weights changed while it drew samples: it may have trained in `sample`",
        1,
        RECORD_OK + "; flagged",
    ),
    "SetsTheDtype": Fault(
        "`torch.set_default_dtype` in `__init__`",
        "failed: __init__ changed torch's default dtype from torch.float32 to torch.float64",
        1,
        "record: failed",
    ),
    "SetsThreads": Fault(
        "`torch.set_num_threads` in `step`",
        "failed: step changed torch's number of threads from 1 to 2",
        1,
        "record: failed",
    ),
    "ChangesFolder": Fault(
        "`os.chdir` in `step`", "failed: step changed the working directory from", 1, "record: failed"
    ),
    "ClosesStdout": Fault(
        "closing standard output in `step`", "failed: step changed standard output from", 1, "record: failed"
    ),
    "IgnoresSignals": Fault(
        "a handler of its own for SIGTERM, in `sample`",
        "failed: sample changed the handler of SIGTERM from",
        1,
        "record: failed",
    ),
    "SeedsTorch": Fault("`torch.manual_seed` in `step`", "failed: step changed torch's seed from", 1, "record: failed"),
    "ReturnsUnits": Fault(
        "samples in [0, 1] instead of [-1, 1]",
        "none of its samples has a value below 0: a network that gives [0, 1] must return 2 * x - 1",
        1,
        RECORD_OK + "; flagged",
    ),
    "PatchesTheClock": Fault(
        "another `time.perf_counter`, in `__init__`",
        "failed: __init__ changed time.perf_counter from",
        1,
        "record: failed",
    ),
    "PatchesTheScorer": Fault(
        "a scorer of its own, patched into ganbench", "", 1, RECORD_OK + "; the same scores as an honest twin"
    ),
    "CallsItselfCeiling": Fault(
        '`self.role = "ceiling"` in `__init__`', "", 1, RECORD_OK + "; the same scores as an honest twin"
    ),
    "Healthy": Fault("no fault, run beside all these", "", 1, RECORD_OK),
}
ALL_IN_ONE = "All in one run: its exit status is 1, since some of its runs failed."

INTERRUPTED = "interrupted: 0 of 1 runs are kept in runs; the same command goes on"
COMMANDS: dict[str, Fault] = {
    "Ctrl-C": Fault("Ctrl-C (SIGINT to the command)", INTERRUPTED, 130, GOES_ON),
    "SIGTERM": Fault("SIGTERM to the command", INTERRUPTED, 143, GOES_ON),
    "SIGHUP": Fault("the terminal is closed (SIGHUP)", INTERRUPTED, 129, GOES_ON),
    "SIGKILL": Fault(
        "SIGKILL to the command at 12 points, one after the other, from before the first worker to the writing of the "
        "board", "", -9, GOES_ON),
    "worker killed": Fault(
        "SIGKILL to a worker in training, then `--retry killed`", "killed: the worker was ended by SIGKILL", 1, SAME
    ),
    "fork server killed": Fault("SIGKILL to the process that starts workers", "", 0, SAME),
    "two commands": Fault(
        "one command twice at once", "waiting for another command", 0, SAME + "; each run was trained once"
    ),
    "clock": Fault("the clock set back a day between two runs", "nothing to train", 0, SAME),
    "disk": Fault(
        "a full disk", "failed: No space left on device while writing", 1,
        "record: failed; after room was made, `--retry failed` goes on",
    ),
    "kernel": Fault(
        "the kernel ends the worker because memory ran out (a cgroup)",
        "oom: the kernel ended the worker because memory ran out", 1, "record: oom",
    ),
}  # fmt: skip

PASSED_OVER, BEFORE = "ignored a damaged checkpoint", SAME + ", from the checkpoint before"
FILES: dict[str, Fault] = {
    "checkpoint cut": Fault("a checkpoint cut in half", PASSED_OVER, 0, BEFORE),
    "checkpoint bit": Fault("a bit flipped in a checkpoint", PASSED_OVER, 0, BEFORE),
    "both checkpoints": Fault("both checkpoints damaged", PASSED_OVER, 0, SAME + ", from the first step"),
    "record cut": Fault(
        "a record cut in half", "its checksum does not match", 0, SAME + "; the damaged one is set aside"
    ),
    "record edited": Fault(
        "another count of images written into a record",
        "changed after it was written",
        0,
        SAME + "; the edited one is set aside",
    ),
    "record foreign": Fault(
        "another run's record in its place", "of another run", 0, SAME + "; the foreign one is set aside"
    ),
}

HEAD = """# Faults and what follows

Made from `tests/faults`, which injects each of these faults in separate processes and checks every cell:
`python -m tests.faults.cases` writes this page. A run that ends badly never ends the command: it is a row of the board,
and its record holds the last lines of its log. "The same as undisturbed" is: every sample, every metric and every
point of the curve are equal to the last digit (on a CPU). `resumed` in a record says after how many images
training resumed from a checkpoint.

Exit status: 0 done; 1 some run failed; 2 the request was wrong; 128 + n the command was ended by signal n.
"""


def page() -> str:
    """Return docs/faults.md."""
    parts = [HEAD]
    for title, faults in (("Models", MODELS), ("Processes, machines", COMMANDS), ("Files", FILES)):
        parts += [
            f"## {title}\n",
            "| fault | what the user sees | exit status | what the store holds |",
            "|---|---|---|---|",
        ]
        for fault in faults.values():
            says = f"`{fault.says.strip()}`" if fault.says else "–"
            parts.append(f"| {fault.injected} | {says} | {fault.exit if fault.exit >= 0 else '–'} | {fault.left} |")
        parts.append("")
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page())
