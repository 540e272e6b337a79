"""What is installed, as a lock file that ``pip install -r`` reads: distributions with versions, Python, platform."""

from __future__ import annotations

import importlib.metadata
import platform
import re


def lock_text() -> str:
    """Return what is installed here: ``# python`` and ``# platform`` lines, then ``name==version``, sorted."""
    found = {
        re.sub(r"[-_.]+", "-", each.metadata["Name"]).lower(): each.version
        for each in importlib.metadata.distributions()
        if each.metadata["Name"]
    }
    lines = [f"# python {platform.python_version()}", f"# platform {platform.platform()}"]
    return "\n".join([*lines, *(f"{name}=={version}" for name, version in sorted(found.items()))]) + "\n"


def read_lock(text: str) -> dict[str, str]:
    """Return versions by name, ``python`` and ``platform`` among them; other lines are skipped."""
    found = {}
    for line in text.splitlines():
        if match := re.fullmatch(r"# (python|platform) (.{1,200})|([a-z0-9][a-z0-9-]*)==(\S{1,80})", line.strip()):
            found[match[1] or match[3]] = match[2] or match[4]
    return found


def differences(lock: dict[str, str]) -> list[str]:
    """Say in what this machine differs from a lock file: what is missing here, and what has another version."""
    here = read_lock(lock_text())
    return [
        f"{name} {version} there, {here.get(name, 'none')} here"
        for name, version in sorted(lock.items())
        if here.get(name) != version
    ]
