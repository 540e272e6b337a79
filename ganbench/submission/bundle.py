"""A bundle that somebody sent: opened, checked and unpacked without trusting a name, a size or a byte of it."""

from __future__ import annotations

import hashlib
import shutil
import stat
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from ganbench.errors import RequestError
from ganbench.submission.manifest import CODE, LOCK, MANIFEST, OF_A_RUN, RUNS, SAFE, Manifest
from ganbench.util.atomic_io import sha256_of
from ganbench.util.text import human_bytes, one_line

MOST_MEMBERS = 20_000
MOST_BYTES = 16 * 2**30
"""Of a bundle."""
_MANIFEST_BYTES = 16 * 2**20
_BLOCK = 2**20


@dataclass(frozen=True)
class Bundle:
    """A bundle that can be unpacked safely; whether its content is what its manifest says is for `differences`."""

    path: Path
    sha256: str
    size: int
    manifest: Manifest

    def differences(self) -> Iterator[str]:
        """Yield in what the archive is not what its manifest says: members missing, added, or of other content."""
        manifest = self.manifest
        with zipfile.ZipFile(self.path) as archive:
            there = {info.filename: info for info in archive.infolist()}
            there.pop(MANIFEST)
            for name in sorted(there.keys() | manifest.members.keys()):
                known = manifest.members.get(name)
                if known is None:
                    yield f"{name}: is not in the manifest"
                elif name not in there:
                    yield f"{name}: is missing"
                elif (size := there[name].file_size) != known.size:
                    yield f"{name}: has {size:,} bytes, and the manifest says {known.size:,}"
                else:
                    try:
                        found = _hash(archive, there[name])
                    except (zipfile.BadZipFile, EOFError) as error:
                        yield f"{name}: is damaged ({error})"
                    else:
                        if found != known.sha256:
                            yield f"{name}: has sha256 {found[:12]}, and the manifest says {known.sha256[:12]}"
        yield from self._out_of_place()

    def _out_of_place(self) -> Iterator[str]:
        keys = {run.key for run in self.manifest.runs}
        code = {name for each in self.manifest.code for name in each.members}
        for name in self.manifest.members:
            top, _, rest = name.partition("/")
            key, _, file = rest.partition("/")
            if top == RUNS and key in keys and OF_A_RUN.fullmatch(file):
                continue
            if name != LOCK and not (top == CODE and name in code):
                yield f"{name}: does not belong into a bundle"
        yield from (f"{name}: is missing" for name in sorted(code - self.manifest.members.keys()))

    def unpack(self, folder: Path) -> None:
        """Write all members into a folder, which is emptied before."""
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        with zipfile.ZipFile(self.path) as archive:
            for info in archive.infolist():
                target = folder / info.filename
                target.parent.mkdir(parents=True, exist_ok=True)
                with archive.open(info) as source, open(target, "xb") as file:
                    shutil.copyfileobj(source, file, _BLOCK)


def open_bundle(path: Path, most_bytes: int = MOST_BYTES) -> Bundle:
    """Open a bundle; `RequestError` names the first thing for which it is none, or not a safe one."""
    try:
        size = path.stat().st_size
        if size > most_bytes:
            raise RequestError(f"{path}: has {human_bytes(size)}, and at most {human_bytes(most_bytes)} are taken")
        with zipfile.ZipFile(path) as archive:
            _check_members(path, archive.infolist(), size)
            with archive.open(MANIFEST) as file:
                content = file.read(_MANIFEST_BYTES + 1)
        if len(content) > _MANIFEST_BYTES:
            raise RequestError(f"{path}: its {MANIFEST} is larger than {human_bytes(_MANIFEST_BYTES)}")
        return Bundle(path, sha256_of(path), size, Manifest.model_validate_json(content))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise RequestError(f"{path}: its {MANIFEST} is not one: {one_line(where, 80)}: {first['msg']}") from error
    except OSError as error:
        raise RequestError(f"{path}: cannot be read ({error.strerror or error})") from error
    except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError, RuntimeError) as error:
        raise RequestError(f"{path}: is not a bundle of `ganbench submit` ({one_line(str(error), 120)})") from error


def _check_members(path: Path, members: list[zipfile.ZipInfo], size: int) -> None:
    """Raise `RequestError` for a member whose name, kind or size could do harm."""
    if len(members) > MOST_MEMBERS:
        raise RequestError(f"{path}: has {len(members):,} members, and at most {MOST_MEMBERS:,} are taken")
    # Of a truncated file zipfile finds the end of an archive within it: a checkpoint is one.
    if not members or (members[0].filename, members[0].header_offset) != (MANIFEST, 0):
        raise RequestError(
            f"{path}: does not begin with {MANIFEST}: it is no bundle of `ganbench submit`, or truncated"
        )
    seen: set[str] = set()
    for member in members:
        name = one_line(repr(member.orig_filename), 100)
        kind = stat.S_IFMT(member.external_attr >> 16)
        if not SAFE.fullmatch(member.filename) or member.orig_filename != member.filename:
            raise RequestError(f"{path}: member {name}: is no name that a bundle has; nothing was unpacked")
        if kind not in (0, stat.S_IFREG) or member.is_dir():
            raise RequestError(f"{path}: member {name}: is no regular file; nothing was unpacked")
        if member.compress_type != zipfile.ZIP_STORED or member.flag_bits & 1:
            raise RequestError(
                f"{path}: member {name}: is compressed or encrypted, and a bundle's are stored as they are"
            )
        if member.filename.lower() in seen:
            raise RequestError(f"{path}: member {name}: is there twice, or in another spelling; nothing was unpacked")
        seen.add(member.filename.lower())
    if sum(member.file_size for member in members) > size:  # members that overlap
        raise RequestError(f"{path}: its members are larger than the file is; nothing was unpacked")


def _hash(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> str:
    digest = hashlib.sha256()
    with archive.open(member) as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
