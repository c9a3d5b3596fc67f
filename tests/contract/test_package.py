"""The deployment package has exactly the intended files and runs with only its pinned dependencies."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import zipfile
from collections.abc import Iterable, Iterator
from importlib.util import cache_from_source
from pathlib import Path
from typing import Any

import pytest

from simulator.functions.indexing import index_app
from tools import package

ROOT = Path(__file__).parents[2]
PROBE = "tests.support.infra.package_probe"
AT_THE_TOP = {"function_app.py", "host.json", "requirements.txt"}
# Optional files about images, deployed with the app if they exist.
DATA = ("images.toml", "recipes/")
RECIPE_FILES = ("cloud-init.yaml", "recipe.toml")
MAX_SIZE_KIB = 1792
# The goal is 1.3 (the test prints the value); the limit leaves room for a busy machine.
IMPORT_LIMIT = 1.6


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("package")
    package.build(ROOT, folder / "app.zip")
    with zipfile.ZipFile(folder / "app.zip") as found:
        found.extractall(folder / "app")  # our own zip
    return folder / "app"


def probe(app: Path, *arguments: str) -> dict[str, Any]:
    """The JSON that the probe prints, started in the repository."""
    command = [sys.executable, "-m", PROBE, str(app), *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_the_package_is_the_app_and_nothing_else(unpacked: Path) -> None:
    """Sources of the app, host.json and requirements.txt; no tests, simulator, settings or infrastructure."""
    everything = {path.relative_to(unpacked).as_posix() for path in unpacked.rglob("*") if path.is_file()}
    names = {name for name in everything if not name.endswith(".pyc")}
    sources = {path.relative_to(ROOT).as_posix() for path in (ROOT / "refresh").rglob("*.py")}
    assert names >= AT_THE_TOP
    assert sources <= names
    assert {name for name in names - AT_THE_TOP - sources if not name.startswith(DATA)} == set()
    compiled = {cache_from_source(name) for name in names if name.endswith(".py")}
    assert everything - names == compiled


def test_the_package_is_small(unpacked: Path) -> None:
    """The package that a cold start downloads stays small."""
    size = (unpacked.parent / "app.zip").stat().st_size
    print(f"package: {size / 1024:.0f} KiB")
    assert size < MAX_SIZE_KIB * 1024


def files_in(root: Path, names: Iterable[str]) -> None:
    for name in (".funcignore", *names):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text((ROOT / name).read_text() if name == ".funcignore" else "")


DEPLOYED = (
    "function_app.py",
    "host.json",
    "images.toml",
    "refresh/domain/x.py",
    "requirements.txt",
    *(f"recipes/{name}/{file}" for name in ("tools", "docs") for file in RECIPE_FILES),
)
LEFT_OUT = (
    ".env",
    "secret.key",
    "docs/x.toml",
    "local.settings.json",
    "local.settings.json.bak",
    "refresh/__pycache__/x.cpython-313.pyc",
    "requirements.in",
    "tools/refresh.py",
)


def test_files_about_images_are_packaged_whatever_their_name(tmp_path: Path) -> None:
    """images.toml and every recipe are packaged, including recipes with the name of another folder of the project."""
    files_in(tmp_path / "app", (*DEPLOYED, *LEFT_OUT))
    names = package.build(tmp_path / "app", tmp_path / "app.zip")
    assert sorted(name for name in names if not name.endswith(".pyc")) == sorted(DEPLOYED)


def test_a_stray_file_is_not_packaged(tmp_path: Path) -> None:
    """A file that is not of the app stays behind, wherever it lies: the package has an allow-list."""
    stray = ("notes.txt", "refresh/key.pem", "refresh/domain/data.json", "recipes/web/id_rsa", "recipes/list.txt")
    files_in(tmp_path / "app", (*DEPLOYED, *stray))
    (tmp_path / "app" / "refresh" / "link.py").symlink_to("/etc/passwd")
    names = package.build(tmp_path / "app", tmp_path / "app.zip")
    assert sorted(name for name in names if not name.endswith(".pyc")) == sorted(DEPLOYED)


def test_images_and_recipes_of_another_name_are_packaged_when_they_are_allowed(tmp_path: Path) -> None:
    """A name that REFRESH_IMAGES or REFRESH_RECIPES has needs one more line in .funcignore."""
    other = ["gold.toml", "builds/web/recipe.toml"]
    files_in(tmp_path, [*other, "builds/web/id_rsa"])
    with (tmp_path / ".funcignore").open("a") as file:
        file.write("!/gold.toml\n!/builds\n")
    assert sorted(package.build(tmp_path, tmp_path / "dist" / "app.zip")) == sorted(other)


def test_a_funcignore_that_excludes_nothing_is_refused() -> None:
    """Without the line that excludes everything azd would deploy every file."""
    with pytest.raises(ValueError, match=r"every file"):
        package.allowed("!/refresh\n")


def test_azd_packs_what_make_package_packs(tmp_path: Path) -> None:
    """`.funcignore`, which azd reads like a .gitignore, leaves the same files."""
    files_in(tmp_path, (*DEPLOYED, *LEFT_OUT))
    ignored = ["--exclude-from", str(ROOT / ".funcignore")]
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    listed = subprocess.run(
        ["git", "ls-files", "--others", *ignored], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert sorted(listed.stdout.split()) == sorted(DEPLOYED)


def test_azure_indexes_the_unpacked_package_with_its_pins_alone(unpacked: Path) -> None:
    """The worker's indexer finds every function while only requirements.txt can be imported."""
    assert probe(unpacked, "index")["functions"] == sorted(function.name for function in index_app(ROOT))


def test_the_app_adds_little_to_the_import_of_its_sdks(unpacked: Path) -> None:
    """Importing the app takes little longer than importing its SDKs."""
    sdks = sorted(set(_sdks()))
    both = [
        (probe(unpacked, "import", *sdks)["cpu_s"], probe(unpacked, "import", "function_app")["cpu_s"])
        for _ in range(3)
    ]
    sdk_s, app_s = (min(times) for times in zip(*both, strict=True))
    print(f"import: SDKs {sdk_s:.2f} s, app with SDKs {app_s:.2f} s, {app_s / sdk_s:.2f} times")
    assert app_s <= IMPORT_LIMIT * sdk_s


def _sdks() -> Iterator[str]:
    """The modules outside the standard library and the app that the app imports."""
    for path in (ROOT / "function_app.py", *(ROOT / "refresh").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [each.name for each in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            yield from (
                name
                for name in names
                if name and name.partition(".")[0] not in {*sys.stdlib_module_names, "refresh", "function_app"}
            )
