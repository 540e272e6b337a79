"""The files of a new package, from templates, written all or none."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import ganbench
from ganbench.authoring.names import KIND_OF, Names
from ganbench.errors import RequestError
from ganbench.registry.item_checks import KINDS

MODEL_KINDS = {
    "gan": "a small deep convolutional GAN",
    "vae": "a small variational autoencoder",
    "conditional": "a small GAN that is told the class",
    "flow": "flow matching with a small U-Net",
    "baseline": "one Gaussian over pixels, fitted in closed form",
}
"""The models that a new one can begin as."""
DESCRIPTIONS = {
    "metric": "How much sharper or softer samples are than real images",
    "dataset": "Squares and discs, 16x16 grey",
    "extractor": "Thumbnails of images as features",
    "track": "A track on digits",
}
EXAMPLES = {
    "model": ("ganbench run --plugins {},dcgan --track digits-smoke", "a board, beside a baseline"),
    "metric": ("ganbench run --plugins dcgan --track digits-smoke --metrics standard,{}", "its column on a board"),
    "dataset": ("ganbench extractor train {}", "a network that knows its classes"),
    "extractor": ("ganbench run --plugins dcgan --track digits-smoke --extractor {}", "a board in its features"),
    "track": ("ganbench run --plugins dcgan,vae --track {}", "its board"),
}
"""What to type once the package is installed, and what that gives."""


def commands(names: Names) -> list[tuple[str, str]]:
    """Return what to type in the folder of a new package: commands, and what each does."""
    example, gives = EXAMPLES[names.what]
    checked = "the same rules, then training for 20 s" if names.what == "model" else "the same rules"
    return [
        ("pip install -e '.[test]'", ""), ("pytest", "every rule of ganbench, one test each"),
        ("ganbench check .", checked), (example.format(names.item), gives),
    ]  # fmt: skip


def files(names: Names, kind: str) -> dict[str, str]:
    """Return the content of each file by its path in the package; `kind` is one of `MODEL_KINDS`, for models."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    templates = Environment(
        loader=PackageLoader("ganbench.authoring"), undefined=StrictUndefined, keep_trailing_newline=True,
        trim_blocks=True, lstrip_blocks=True, autoescape=False,
    )  # fmt: skip
    description = DESCRIPTIONS.get(names.what) or MODEL_KINDS[kind][0].upper() + MODEL_KINDS[kind][1:]
    source = f"src/{names.package}"
    made = {
        "pyproject.toml": "pyproject.toml",
        "README.md": "README.md",
        ".gitignore": "gitignore",
        ".github/workflows/test.yml": "test.yml",
        f"{source}/__init__.py": "init.py",
        f"{source}/{names.what}.py": f"model_{kind}.py" if names.what == "model" else f"{names.what}.py",
        f"tests/test_{names.what}.py": "test_rules.py",
    }
    main_file, lines = f"{names.what}.py", commands(names)
    if names.what == "track":
        main_file = f"{names.item}.toml"
        made[f"{source}/{main_file}"] = "track.toml"
    return {
        path: templates.get_template(f"{template}.j2").render(
            what=names.what, called=KINDS[KIND_OF[names.what]], distribution=names.distribution, package=names.package,
            item=names.item, class_name=names.class_name, constant=names.constant, description=description,
            title=" ".join(names.words).capitalize(), commands=lines, main_file=main_file,
            ganbench_version=ganbench.__version__, column=max(len(command) for command, _ in lines),
        )
        for path, template in made.items()
    }  # fmt: skip


def write_package(folder: Path, content: dict[str, str]) -> None:
    """Write files, by their paths in `folder`, which must not be there yet; all of them or none.

    Raises `RequestError` where the folder is there or cannot be written.
    """
    if folder.exists() or folder.is_symlink():
        raise RequestError(f"{folder}: is there already: name another folder with --out")
    temporary = None
    try:
        folder.absolute().parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=folder.absolute().parent, prefix=f".{folder.name}."))
        for path, text in content.items():
            file = temporary / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        temporary.chmod(0o755)
        temporary.rename(folder)
    except OSError as error:
        raise RequestError(f"--out {folder}: cannot be written ({error.strerror})") from error
    finally:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)
