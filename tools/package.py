"""The deployment package: a zip of the app's own files, with the app compiled (`make package`).

Decides which files belong to the app: `.funcignore` is an allow-list, for `azd` as well. Decides that compiled code
is included: the package is read-only in Azure, so every cold start would compile the app again. Compiled code is
checked against its source by hash, so a stale one cannot run. Does not install dependencies: Azure does, from
requirements.txt, for its own Linux.
"""

from __future__ import annotations

import importlib.util
import py_compile
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

if not __package__:  # started as a file, not with -m
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tools.shared.command_line import Parser, run_command

ROOT = Path(__file__).parents[1]
ZIP = ROOT / "dist" / "azure-vm-refresh.zip"
# The first day of the zip format: the time of the last change to a file does not belong into the package.
_MADE = (1980, 1, 1, 0, 0, 0)


# Of a folder the package has these files only: any other file beside them stays behind.
_SOURCES = ("**/*.py",)
_RECIPES = ("*/recipe.toml", "*/cloud-init.yaml")


def allowed(text: str) -> list[str]:
    """The names that the text of a .funcignore allows: its lines `!/name`, after `/*` has excluded everything."""
    lines = [line.strip() for line in text.splitlines()]
    if "/*" not in lines:
        raise ValueError(".funcignore: the line /* is missing, so azd would deploy every file")
    return [line[2:] for line in lines if line.startswith("!/")]


def files_of(root: Path) -> list[Path]:
    """Every file of the package below `root`, sorted by path. A symbolic link is left out. Raises ValueError."""
    found: set[Path] = set()
    for name in allowed((root / ".funcignore").read_text(encoding="utf-8")):
        patterns = _SOURCES if name == "refresh" else _RECIPES
        found |= {root / name} | {path for pattern in patterns for path in (root / name).glob(pattern)}
    return sorted(path for path in found if path.is_file() and not path.is_symlink())


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
