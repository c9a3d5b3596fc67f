"""The deployment package: a zip of what .funcignore leaves, with the app compiled (`make package`).

Decides how .funcignore is read (names and `*`, at any depth, or only at the top after a `/`: all that ours uses) and
that compiled code is included: the package is read-only in Azure, so every cold start would compile the app again.
Compiled code is checked against its source by hash, so a stale one cannot run. Does not install dependencies: Azure
does, from requirements.txt, for its own Linux.
"""

from __future__ import annotations

import fnmatch
import importlib.util
import py_compile
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePath

if not __package__:  # started as a file, not with -m
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tools.shared.command_line import Parser, run_command

ROOT = Path(__file__).parents[1]
ZIP = ROOT / "dist" / "azure-vm-refresh.zip"
# The first day of the zip format: the time of the last change to a file does not belong into the package.
_MADE = (1980, 1, 1, 0, 0, 0)


def patterns_of(text: str) -> tuple[str, ...]:
    """The patterns in the text of a .funcignore. ValueError for a form that is not supported here."""
    lines = [line.strip() for line in text.splitlines()]
    patterns = tuple(line.rstrip("/") for line in lines if line and not line.startswith("#"))
    for pattern in patterns:
        if "/" in pattern[1:] or pattern.startswith("!"):
            raise ValueError(f".funcignore: {pattern!r}: only names, * and a / at the beginning are supported")
    return patterns


def is_left_out(path: PurePath, patterns: Iterable[str]) -> bool:
    """Whether the file or folder at `path`, relative to the app's, is left out with everything in it."""
    names = {path.name, f"/{path.name}"} if len(path.parts) == 1 else {path.name}
    return any(fnmatch.fnmatchcase(name, pattern) for name in names for pattern in patterns)


def files_of(root: Path) -> list[Path]:
    """Every file of the package below `root`, sorted by path."""
    patterns = patterns_of((root / ".funcignore").read_text())

    def below(folder: Path) -> Iterator[Path]:
        for path in folder.iterdir():
            if is_left_out(path.relative_to(root), patterns):
                continue
            if path.is_dir():
                yield from below(path)
            else:
                yield path

    return sorted(below(root))


def build(root: Path, target: Path) -> list[str]:
    """Write the package of `root` to `target`; the names in it, each source followed by its compiled form."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as package:
        for path in files_of(root):
            name = path.relative_to(root).as_posix()
            _add(package, name, path.read_bytes())
            if path.suffix == ".py":
                _add(package, importlib.util.cache_from_source(name), _compiled(path, name))
        return package.namelist()


def _add(package: zipfile.ZipFile, name: str, content: bytes) -> None:
    entry = zipfile.ZipInfo(name, _MADE)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o100644 << 16
    package.writestr(entry, content, compresslevel=9)


def _compiled(path: Path, name: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        compiled = Path(folder) / "compiled"
        mode = py_compile.PycInvalidationMode.CHECKED_HASH
        py_compile.compile(str(path), cfile=str(compiled), dfile=name, doraise=True, invalidation_mode=mode)
        return compiled.read_bytes()


def main(arguments: Sequence[str] = ()) -> int:
    """Build dist/azure-vm-refresh.zip and print its size; exit code 0."""
    Parser("package", "Write the deployment package, dist/azure-vm-refresh.zip.").parse_args(arguments)
    names = build(ROOT, ZIP)
    print(f"{ZIP.relative_to(ROOT)}: {len(names)} files, {ZIP.stat().st_size / 1024:.0f} KiB")
    return 0


if __name__ == "__main__":
    sys.exit(run_command(main))
