"""Attacks: what a stranger gives (runs, records, samples, weights, data, names) is read, not run, and stays put."""

from __future__ import annotations

import ast
import hashlib
import io
import json
import pickle
import shutil
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Tuple  # noqa: UP035

import numpy as np
import pytest
import torch
from PIL import Image

import ganbench
from ganbench.boards.publish import publish
from ganbench.data.mnist import FILES, official_splits
from ganbench.errors import RequestError
from ganbench.extractors import fidelity
from ganbench.files import sha256_of
from ganbench.registry import Registry, load_file
from ganbench.tracks.track import read_track
from ganbench.training.checkpoint import BEFORE, FORMAT, HEADER, LATEST, read_checkpoint
from ganbench.trials.record import Record, read_record

from .conftest import Answer, Smoke

Command = Callable[..., Answer]

ROOT = Path(__file__).parents[1]


class Code:
    """Unpickled, it makes the marker."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return exec, (f"open({str(self.marker)!r}, 'w').close()",)


@pytest.fixture
def marker(tmp_path: Path) -> Iterator[Path]:
    """A file that only code of the attacker's would make."""
    path = tmp_path / "executed"
    yield path
    assert not path.exists(), "code from a file was executed"


@pytest.fixture
def code(marker: Path) -> Code:
    return Code(marker)


@pytest.fixture
def run_folder(smoke: Smoke, tmp_path: Path) -> Path:
    """A copy of a trained run, to be spoilt."""
    found = next(path.parent for path in smoke.runs.glob("*/record.json") if read_record(path).model == "dcgan")
    assert (found / "checkpoint.pt").exists()
    return Path(shutil.copytree(found, tmp_path / "runs" / found.name))


def as_pickle(code: Code) -> bytes:
    return pickle.dumps(code)


def as_zip(code: Code) -> bytes:
    torch.save(code, stream := io.BytesIO())
    return stream.getvalue()


def as_legacy(code: Code) -> bytes:
    torch.save(code, stream := io.BytesIO(), _use_new_zipfile_serialization=False)
    return stream.getvalue()


FORMS = pytest.mark.parametrize("form", [as_pickle, as_zip, as_legacy])


def refused(answer: Answer) -> str:
    """Return the one line of a refusal."""
    assert (answer.status, answer.err.count("\n")) == (2, 1), answer.err
    return answer.err


def test_the_attack_itself_works(tmp_path: Path) -> None:
    made = tmp_path / "made"
    pickle.loads(as_pickle(Code(made)))
    assert made.exists()


def put_checkpoint(folder: Path, content: bytes) -> None:
    """Give a run another checkpoint, with a header that says it is whole: a stranger can write that too."""
    header = {"ganbench_checkpoint": FORMAT, "sha256": hashlib.sha256(content).hexdigest()}
    (folder / "checkpoint.pt").write_bytes(json.dumps(header).encode().ljust(HEADER - 1) + b"\n" + content)


@FORMS
def test_a_checkpoint_is_not_unpickled(
    command: Command, run_folder: Path, code: Code, form: Callable[[Code], bytes]
) -> None:
    for put in (put_checkpoint, lambda folder, content: (folder / "checkpoint.pt").write_bytes(content)):
        put(run_folder, form(code))
        with pytest.raises(RequestError, match=run_folder.name) as refusal:
            ganbench.load(run_folder)
        assert "\n" not in str(refusal.value)
        assert run_folder.name in refused(command("sample", run_folder, "--out", run_folder / "samples.png"))
        assert run_folder.name in refused(command("evaluate", run_folder))


@FORMS
def test_what_training_would_go_on_from_is_not_unpickled(
    tmp_path: Path, code: Code, form: Callable[[Code], bytes]
) -> None:
    put_checkpoint(tmp_path, form(code))
    (tmp_path / "checkpoint.pt").rename(tmp_path / LATEST)
    (tmp_path / BEFORE).write_bytes(form(code))
    assert [len(found) if found else None for found in read_checkpoint(tmp_path)] == [None, 2]


@pytest.mark.parametrize(
    "content",
    [b"", b"\x80", b"\x80\x02.", b"\x80\x02}q\x00(X\x05", b"PK\x03\x04", b"\x00" * 64, pickle.dumps([1, 2]), b"0."],
    ids=lambda content: content[:8].hex(),
)
def test_a_checkpoint_that_is_none_is_one_line(run_folder: Path, content: bytes) -> None:
    put_checkpoint(run_folder, content)
    with pytest.raises(RequestError):
        ganbench.load(run_folder)


@pytest.mark.parametrize("state", [[], {}, {"data": []}, {"data": {}}, {"data": {"shape": "x"}}, 3])
def test_a_checkpoint_of_something_else_is_one_line(run_folder: Path, state: object) -> None:
    torch.save(state, stream := io.BytesIO())
    put_checkpoint(run_folder, stream.getvalue())
    with pytest.raises(RequestError):
        ganbench.load(run_folder)


def test_a_run_folder_cannot_bring_its_model(
    command: Command, run_folder: Path, marker: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = run_folder / "brought.py"
    file.write_text(f"open({str(marker)!r}, 'w').close()\nimport ganbench\nclass Mine(ganbench.Model): ...\n")
    monkeypatch.chdir(run_folder)
    monkeypatch.syspath_prepend(str(run_folder))
    trial = json.loads((run_folder / "trial.json").read_text())
    for address in (f"{file}:Mine", "brought.py:Mine", "./brought.py:Mine", "brought:Mine"):
        (run_folder / "trial.json").write_text(json.dumps(trial | {"address": address}))
        with pytest.raises(RequestError):
            ganbench.load(run_folder)
        refused(command("sample", run_folder, "--out", run_folder / "samples.png"))
    sys.modules.pop("brought", None)


@FORMS
def test_a_record_is_not_unpickled(
    command: Command, smoke: Smoke, tmp_path: Path, code: Code, form: Callable[[Code], bytes]
) -> None:
    path = tmp_path / "runs" / "0123456789abcdef" / "record.json"
    path.parent.mkdir(parents=True)
    path.write_bytes(form(code))
    with pytest.raises(RequestError, match="damaged or foreign"):
        read_record(path)
    words = ("leaderboard", "--out", path.parents[1], "--boards", tmp_path / "boards", "--track", "digits-smoke")
    assert "1 refused" in refused(command(*words))


def test_a_record_of_brackets_without_end_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "record.json"
    for content in ("[" * 100_000, '{"schema":' * 100_000):
        path.write_text(content)
        with pytest.raises(RequestError, match="damaged or foreign"):
            read_record(path)


NAMES = ["../../outside", "/outside", "..", ".", "", "a/b", "a\\b", "a\nb", "a\0b", "-a", "a b", ".hidden"]


def edited(record: Record, folder: Path, field: str, value: str) -> Record:
    """Write a record with another key, label or track to a run folder, as a stranger's ganbench might; return it."""
    if field == "key":
        changed = record.model_copy(update={"key": value})
    elif field == "label":
        changed = record.model_copy(update={"about": record.about.model_copy(update={"label": value})})
    else:
        protocol = record.track.protocol.model_copy(update={"name": value})
        changed = record.model_copy(update={"track": record.track.model_copy(update={"protocol": protocol})})
    changed.write(folder / "record.json")
    return changed


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("field", ["key", "label", "track"])
def test_names_in_a_record_do_not_lead_out_of_its_board(smoke: Smoke, tmp_path: Path, field: str, name: str) -> None:
    boards, runs = tmp_path / "deep" / "boards", tmp_path / "deep" / "runs"
    path = sorted(smoke.runs.glob("*/samples.png"))[0]
    folder = runs / "run"
    folder.mkdir(parents=True)
    shutil.copy(path, folder)
    record = read_record(path.with_name("record.json"))
    track = record.track.protocol.name
    edited(record, folder, field, name)
    for wanted in (track, name):
        try:
            board = publish(wanted, runs, boards)
        except RequestError as error:
            assert field != "label" or wanted == name, error
        else:
            assert (field, wanted) == ("label", track), board
    assert set(tmp_path.iterdir()) == {tmp_path / "deep"}
    assert set((tmp_path / "deep").iterdir()) <= {boards, runs}
    assert set(runs.rglob("*")) == {folder, folder / "record.json", folder / "samples.png"}
    inside = {found.relative_to(boards).parts[0] for found in boards.rglob("*")}
    assert inside <= {"README.md", track, f"{track}.csv", f"{track}-trials.csv", f"{track}.md"}


def test_a_runs_picture_is_read_as_png_alone(smoke: Smoke, tmp_path: Path) -> None:
    path = sorted(smoke.runs.glob("*/samples.png"))[0]
    shutil.copytree(path.parent, tmp_path / "runs" / path.parent.name)
    track = read_record(path.with_name("record.json")).track.protocol.name
    picture = tmp_path / "runs" / path.parent.name / "samples.png"
    for content in (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", bomb()):
        picture.write_bytes(content)
        publish(track, tmp_path / "runs", tmp_path / "boards")
        assert not list((tmp_path / "boards" / track).glob("[!c]*.png"))


def bomb() -> bytes:
    """A PNG that says it has 90,000 x 90,000 pixels."""
    Image.new("L", (1, 1)).save(stream := io.BytesIO(), "PNG")
    content = bytearray(stream.getvalue())
    content[16:24] = (90_000).to_bytes(4, "big") * 2
    content[29:33] = zlib.crc32(content[12:29]).to_bytes(4, "big")
    return bytes(content)


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("good") / "good.npy"
    np.save(path, np.random.default_rng(0).integers(0, 256, (30, 8, 8), dtype=np.uint8))
    return path


def npz(path: Path, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize("place", ["samples", "--reference", "--labels"])
def test_arrays_of_objects_are_not_unpickled(
    command: Command, good: Path, tmp_path: Path, code: Code, place: str
) -> None:
    objects = np.empty(30, dtype=object)
    objects[0] = code
    files = [tmp_path / name for name in ("array.npy", "raw.npy", "raw.npz", "images.npz", "statistics.npz", "x.npz")]
    np.save(files[0], objects, allow_pickle=True)
    for file in files[1:3]:
        file.write_bytes(as_pickle(code))
    np.savez(files[3], images=objects, labels=objects, allow_pickle=True)
    np.savez(files[4], mu=objects, sigma=objects, allow_pickle=True)
    npz(files[5], images=as_pickle(code), mu=as_pickle(code), sigma=as_pickle(code))
    for file in files:
        words = {"samples": [file], "--reference": [good, "--reference", file], "--labels": [good, "--labels", file]}
        assert file.name in refused(command("evaluate", *words[place], "--track", "digits-smoke"))


def test_what_is_no_array_in_an_npz_is_one_line(command: Command, good: Path, tmp_path: Path) -> None:
    array = good.read_bytes()
    for members in ({"images": b"no array"}, {"images.npy": array, "labels": b"no array"}, {"images.npy": array[:99]}):
        file = npz(tmp_path / "odd.npz", **members)
        assert "odd.npz: cannot be read" in refused(command("evaluate", file, "--track", "digits-smoke"))


def test_damaged_statistics_are_one_line(command: Command, good: Path, tmp_path: Path) -> None:
    np.savez(tmp_path / "whole.npz", mu=np.zeros(128), sigma=np.eye(128), extractor=np.array("x" * 5000))
    content = bytearray((tmp_path / "whole.npz").read_bytes())
    content[content.rindex(b"x\0\0\0")] ^= 1
    (tmp_path / "odd.npz").write_bytes(bytes(content))
    words = ("evaluate", good, "--reference", tmp_path / "odd.npz", "--track", "digits-smoke")
    assert "odd.npz: is damaged" in refused(command(*words))


@FORMS
def test_weights_are_not_unpickled(
    command: Command, good: Path, tmp_path: Path, code: Code, form: Callable[[Code], bytes]
) -> None:
    for file in (tmp_path / "weights.pth", tmp_path / "weights.safetensors"):
        file.write_bytes(form(code))
        for name in ("inception-v3-compat", "vgg16", "clip-rn50", "dinov2-vit-s-14", "lenet-mnist", "domain"):
            said = refused(command("evaluate", good, "--track", "digits-smoke", "--extractor", name, "--weights", file))
            assert f"extractor {name!r}" in said
    assert file.name in refused(command("evaluate", good, "--track", "digits-smoke", "--extractor", file))
    assert file.name in refused(command("extractors", file))


@FORMS
@pytest.mark.parametrize("name", ["inception-v3-compat", "vgg16", "clip-rn50"])
def test_weights_in_the_download_folder_are_not_unpickled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: Code, form: Callable[[Code], bytes], name: str
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr("torch.hub._hub_dir", None)
    file = tmp_path / "hub" / fidelity.NETWORKS[name].files[0]
    file.parent.mkdir(parents=True)
    file.write_bytes(form(code))
    source = next(source for source in fidelity.FIDELITY if source.name == name)
    fidelity._network.cache_clear()
    with pytest.raises(RequestError, match=name):
        source.load(torch.device("cpu"), None)


class Program(torch.nn.Module):
    """A TorchScript archive is a program: this one writes a file as it is loaded."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self.path = path

    @torch.jit.export
    def __getstate__(self):  # type: ignore[no-untyped-def]
        return self.path, self.training

    @torch.jit.export
    def __setstate__(self, state: Tuple[str, bool]) -> None:  # noqa: UP006  # TorchScript knows no other
        self.path, self.training = state
        torch.save(torch.zeros(1), self.path)


@pytest.mark.filterwarnings("ignore:.*torch.jit")
def test_a_program_is_not_run_as_weights(command: Command, good: Path, tmp_path: Path, marker: Path) -> None:
    file, path = tmp_path / "clip.pt", str(marker)
    torch.jit.script(Program(path)).save(file)
    torch.jit.load(file)
    marker.unlink()  # the attack itself works
    for name in ("clip-vit-b-32", "vgg16", "inception-v3-compat"):
        refused(command("evaluate", good, "--track", "digits-smoke", "--extractor", name, "--weights", file))


def test_data_beside_the_known_files_are_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: Code) -> None:
    """torchvision would rather read `processed/*.pt`, which have no hash."""
    processed = tmp_path / "MNIST" / "processed"
    processed.mkdir(parents=True)
    poisoned = (torch.ones(5, 28, 28, dtype=torch.uint8), torch.zeros(5, dtype=torch.int64))
    torch.save(poisoned, processed / "training.pt")
    (processed / "test.pt").write_bytes(as_pickle(code))

    def download(self: object) -> None:
        raw = tmp_path / "MNIST" / "raw"
        raw.mkdir()
        for part, n in (("train", 3), ("t10k", 2)):
            (raw / f"{part}-images-idx3-ubyte").write_bytes(bytes(16) + bytes([7]) * n * 784)
            (raw / f"{part}-labels-idx1-ubyte").write_bytes(bytes(8) + bytes(range(n)))
        for file in FILES["MNIST"]:
            monkeypatch.setitem(FILES["MNIST"], file, sha256_of(raw / file))

    monkeypatch.setattr("torchvision.datasets.MNIST.download", download)
    for _ in ("downloaded", "found"):
        train, test = official_splits("mnist", "MNIST", tmp_path)
        assert (train.images.shape, test.images.shape) == ((3, 1, 28, 28), (2, 1, 28, 28))
        assert (train.images == 7).all()
        assert test.labels is not None
        assert test.labels.tolist() == [0, 1]


@pytest.mark.parametrize("name", NAMES)
def test_names_do_not_lead_out_of_a_folder(
    command: Command, smoke: Smoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    here = tmp_path / "deep" / "here"
    here.mkdir(parents=True)
    monkeypatch.chdir(here)
    run = ("run", "--out", here / "runs", "--boards", here / "boards")
    refused(command(*run, "--plugins", "vae", "--track", name))
    run += ("--track", "digits-smoke")
    refused(command(*run, "--plugins", name))
    refused(command(*run, "--plugins", f"vae,{name}"))
    refused(command(*run, "--plugins", f"{name}.py:Mine"))
    refused(command(*run, "--plugins", "vae", "--extractor", name))
    refused(command(*run, "--plugins", "vae", "--metrics", name))
    refused(command("leaderboard", "--track", name, "--out", smoke.runs, "--boards", here / "boards"))
    refused(command("tracks", "show", name))
    refused(command("evaluate", name))
    if name:  # every key begins with nothing
        refused(command("sample", name, "--runs", smoke.runs, "--out", here / "samples.png"))
    if "\0" not in name:  # click asks the system for a path's kind, and no real command line holds a NUL
        refused(command(*run, "--plugins", "vae", "--weights", name))
        refused(command("extractors", f"{name}.safetensors"))
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


@pytest.mark.parametrize("name", NAMES)
def test_a_track_file_cannot_be_named_with_a_path(tmp_path: Path, name: str) -> None:
    shipped = next((ROOT / "ganbench" / "tracks").glob("digits-smoke.toml")).read_text()
    file = tmp_path / "mine.toml"
    file.write_text(shipped.replace('name = "digits-smoke"', f"name = {json.dumps(name)}"))
    with pytest.raises(RequestError, match="mine.toml: (name|not valid TOML)"):
        read_track(file)


@pytest.mark.parametrize("content", ["a = " + "[" * 100_000, "\0", "a = 1" * 2], ids=["brackets", "nul", "twice"])
def test_a_track_file_that_is_none_is_one_line(tmp_path: Path, content: str) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(content)
    with pytest.raises(RequestError, match="mine.toml: not valid TOML"):
        read_track(file)


@pytest.mark.parametrize("name", NAMES)
def test_a_plugins_names_cannot_lead_out_of_a_folder(tmp_path: Path, name: str) -> None:
    path = tmp_path / "mine.py"
    path.write_text(f"import ganbench\nclass Mine(ganbench.Model):\n    name = {name!r}\n")
    registry = Registry()
    with pytest.raises(RequestError, match="use letters, digits"):
        load_file(f"{path}:Mine", registry)


LOADERS = {
    "pickle.load", "pickle.loads", "pickle.Unpickler", "dill.load", "cloudpickle.load", "joblib.load", "shelve.open",
    "marshal.load", "marshal.loads", "pandas.read_pickle", "pd.read_pickle", "torch.jit.load", "torch.hub.load",
    "eval", "exec", "__import__", "os.system", "yaml.load",
}  # fmt: skip
RESTRAINED = {"torch.load": ("weights_only", True), "np.load": ("allow_pickle", False)}


def dotted(node: ast.expr) -> str:
    """Return ``torch.load`` for the expression that says so; of others what can be told."""
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def loads(source: str) -> Iterator[str]:
    """Yield each call that may unpickle or run what it reads."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom):
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            yield from names & {*LOADERS, *RESTRAINED, "numpy.load"}
            continue
        if isinstance(node, ast.Import):
            renamed = {alias.name for alias in node.names if alias.asname not in (None, "np", "pd")}
            yield from renamed & {"torch", "numpy", "pickle"}
        if not isinstance(node, ast.Call):
            continue
        name = dotted(node.func).replace("numpy.", "np.")
        option, value = RESTRAINED.get(name, ("", None))
        said = {each.arg: each.value for each in node.keywords}.get(option)
        if name in LOADERS or (option and not (isinstance(said, ast.Constant) and said.value is value)):
            yield f"{name} in line {node.lineno}"


def test_no_source_file_loads_a_pickle() -> None:
    files = [path for folder in ("ganbench", "plugins") for path in (ROOT / folder).rglob("*.py")]
    assert len(files) > 100
    found = {str(path): list(loads(path.read_text())) for path in files}
    assert not {path: calls for path, calls in found.items() if calls}


@pytest.mark.parametrize(
    "source",
    [
        "import pickle\npickle.load(f)", "pickle.loads(x)", "torch.load(p)", "torch.load(p, weights_only=False)",
        "torch.load(p, weights_only=flag)", "np.load(p)", "numpy.load(p, allow_pickle=True)", "eval(x)", "exec(x)",
        "from pickle import loads", "from torch import load", "from numpy import load", "joblib.load(p)",
        "pd.read_pickle(p)", "shelve.open(p)", "marshal.loads(x)", "torch.jit.load(p)", "import torch as t",
    ],
)  # fmt: skip
def test_the_search_for_pickles_finds(source: str) -> None:
    assert list(loads(source))
