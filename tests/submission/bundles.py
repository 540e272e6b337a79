"""A stranger's model and its bundle, trained once; and bundles made of others, with every hash computed anew."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Callable
from pathlib import Path

from ganbench.submission.bundle import open_bundle
from ganbench.submission.manifest import LOCK, MANIFEST, Manifest
from ganbench.submission.pack import write_bundle

MODEL = '''
import torch
import ganbench
from strange_helper import STEP, reach

class Strange(ganbench.Model):
    """Its samples depend on its seed and on its one weight."""
    name = "strange"
    def __init__(self, data, config):
        super().__init__(data, config)
        self.w = torch.nn.Parameter(torch.rand(()) * 0.2)
    def step(self, batch):
        self.w.data += STEP
        return {"loss": self.w.detach()}
    def sample(self, n, labels=None):
        reach()
        return (torch.rand(n, *self.data.shape) * 2 - 1 + self.w).clamp(-1, 1)
'''
HELPER = '''
import os, socket
STEP = 0.01
def reach():
    """Try to reach a listener of the verifier's."""
    port = os.path.expanduser("~/strange-port")
    if os.path.exists(port):
        with socket.create_connection(("127.0.0.1", int(open(port).read())), timeout=5) as found:
            found.sendall(b"reached")
'''


def write_model(folder: Path) -> str:
    """Write the model's files, and return what ``--plugins`` calls it."""
    folder.mkdir(parents=True)
    (folder / "strange.py").write_text(MODEL)
    (folder / "strange_helper.py").write_text(HELPER)
    return f"{folder / 'strange.py'}:Strange"


def forged(source: Path, folder: Path, change: Callable[[Path], Path | None]) -> Path:
    """Return a bundle made of another: unpacked, changed, and packed with all hashes computed anew.

    `change` is given the folder of the members. Members that it adds to a run or to the code are in the manifest, too.
    """
    bundle, members = open_bundle(source), folder / "members"
    bundle.unpack(members)
    change(members)
    manifest = Manifest.model_validate_json((members / MANIFEST).read_bytes())
    names = [str(path.relative_to(members)) for path in sorted(members.rglob("*")) if path.is_file()]
    files = {name: members / name for name in names if name not in (MANIFEST, LOCK)}
    out = folder / "forged.zip"
    write_bundle(out, manifest, {LOCK: (members / LOCK).read_bytes()}, files)
    return out


def rewritten(source: Path, out: Path, change: Callable[[list[tuple[zipfile.ZipInfo, bytes]]], object]) -> Path:
    """Return a copy of a zip archive whose members were changed; its manifest is not."""
    with zipfile.ZipFile(source) as archive:
        members = [(info, archive.read(info)) for info in archive.infolist()]
    change(members)
    with zipfile.ZipFile(out, "w") as archive:
        for info, content in members:
            archive.writestr(info, content, info.compress_type)
    return out


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
