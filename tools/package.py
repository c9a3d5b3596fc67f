"""The deployment package: a zip of what .funcignore leaves, with the app compiled (`make package`).

Decides how .funcignore is read (names and `*`, at any depth, or only at the top after a `/`: all that ours uses) and
that compiled code goes along: the package is read-only in Azure, so every cold start would compile the app again. It is
checked against its source by hash, so a stale one cannot run. Refuses to install anything: Azure does that from
requirements.txt, for its own Linux.
"""

from __future__ import annotations

import fnmatch
import importlib.util
import py_compile
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePath

ROOT = Path(__file__).parents[1]
ZIP = ROOT / "dist" / "azure-vm-refresh.zip"
# The zip format begins here; when a file was last touched says nothing.
_MADE = (1980, 1, 1, 0, 0, 0)


def patterns_of(text: str) -> tuple[str, ...]:
    """The patterns in the text of a .funcignore. ValueError for one that this reader would get wrong."""
    lines = [line.strip() for line in text.splitlines()]
    patterns = tuple(line.rstrip("/") for line in lines if line and not line.startswith("#"))
    for pattern in patterns:
        if "/" in pattern[1:] or pattern.startswith("!"):
            raise ValueError(f".funcignore: {pattern!r}: only names and * are read here, after a / at most")
    return patterns


def is_left_out(path: PurePath, patterns: Iterable[str]) -> bool:
    """Whether the file or folder at `path`, relative to the app's own, stays behind, with everything in it."""
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
    """Write the package of `root` to `target`; answers the names in it, each source followed by its compiled form."""
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


def main() -> int:
    """Build dist/azure-vm-refresh.zip and say how large it is; exit code 0."""
    names = build(ROOT, ZIP)
    print(f"{ZIP.relative_to(ROOT)}: {len(names)} files, {ZIP.stat().st_size / 1024:.0f} KiB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
