"""A stand-in for azd with what a deployment of this project needs: one environment, hooks, the compiled template.

Decides as azd does: the environment's values override those of the process; a hook runs as its own script; a hook that
fails ends the command; the template's outputs become values with the same names. Does not know Azure.
https://github.com/Azure/azure-dev/blob/main/cli/azd/pkg/ext/hooks_runner.go
https://github.com/Azure/azure-dev/blob/main/cli/azd/pkg/infra/provisioning/manager.go
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from tests.support.infra.bicep import INFRA, TENANT
from tests.support.infra.external_tools import BICEP, need_tool
from tests.support.infra.scripted_cli import Cli

ROOT = Path(__file__).parents[3]
PARAMETERS = "main.bicepparam"
# Records the names of variables that a step reads and does not find; only reads from tools/ count.
WATCH = """
import os, pathlib, sys
HERE = {tools!r}
class Watched(type(os.environ)):
    def __getitem__(self, name):
        try:
            return super().__getitem__(name)
        except KeyError:
            frame = sys._getframe(1)
            while frame and frame.f_code.co_name in ("get", "__contains__"):  # of Mapping
                frame = frame.f_back
            if frame and frame.f_code.co_filename.startswith(HERE):
                with pathlib.Path({file!r}).open("a") as missed:
                    missed.write(name + "\\n")
            raise
os.environ.__class__ = Watched
"""


class HookFailed(AssertionError):
    """A hook ended with an exit code other than 0, at which azd stops; the text is its output."""


@dataclass(frozen=True)
class Compiled:
    """The compiler's result for main.bicepparam with an environment: template, resources, outputs as far as known."""

    template: Mapping[str, Any]
    resources: tuple[Mapping[str, Any], ...]
    outputs: Mapping[str, Any]

    def properties(self, kind: str, name: str = "") -> dict[str, Any]:
        """The properties of the one resource of type `kind` whose name ends with `name`."""
        (found,) = [
            each["properties"] for each in self.resources if each["type"] == kind and each["name"].endswith(name)
        ]
        return dict(found)

    def namespaces(self) -> set[str]:
        """The resource providers of everything that the template and its modules can deploy."""
        return {kind.partition("/")[0] for kind in _types(self.template)}


def compile_template(path: Path, env: Mapping[str, str]) -> dict[str, Any]:
    """The template that a .bicep or .bicepparam file compiles to; AssertionError with the compiler's message."""
    verb = "build-params" if path.suffix == ".bicepparam" else "build"
    done = _bicep(verb, str(path), "--stdout", env=env)
    answer: dict[str, Any] = json.loads(done)
    return dict(json.loads(answer["templateJson"])) if verb == "build-params" else answer


def parameter_names() -> set[str]:
    """The variables that main.bicepparam reads."""
    return set(re.findall(r"readEnvironmentVariable\('([A-Z_]+)'", (INFRA / PARAMETERS).read_text()))


@dataclass
class Azd:
    """azd with its own environment: `values` are those that `azd env get-values` would print."""

    cli: Cli
    folder: Path
    values: dict[str, str]
    extra: dict[str, str] = field(default_factory=dict)
    ran: list[str] = field(default_factory=list)

    async def hook(self, name: str) -> str:
        """Run a hook and return its output. Raises HookFailed."""
        script = self.folder / f"{name}.sh"
        script.write_text(f"#!/bin/sh\nset -e\n\n# Auto generated file from Azure Developer CLI\n{_run_of(name)}\n")
        process = await asyncio.create_subprocess_exec(
            "/bin/sh", str(script), cwd=ROOT, env=self._environ(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        printed = (await process.communicate())[0].decode()
        self.ran.append(name)
        self.values |= {call[2]: call[3] for call in self.cli.calls("env set") if call[:2] == ["env", "set"]}
        if process.returncode != 0:
            raise HookFailed(f"{name} ended with {process.returncode}:\n{printed}")
        return printed

    async def compile(self) -> Compiled:
        """Compile and evaluate infra/ with the current values."""
        given = tuple((name, self.values[name]) for name in sorted(parameter_names()) if name in self.values)
        place = (self.values["AZURE_SUBSCRIPTION_ID"], self.values["AZURE_LOCATION"])
        return await asyncio.to_thread(_compile, given, *place)

    def missed(self) -> set[str]:
        """The variables that steps of hooks have read and not found so far."""
        return set(self._missed.read_text().split()) if self._missed.exists() else set()

    @property
    def _missed(self) -> Path:
        return self.folder / "missed"

    def _environ(self) -> dict[str, str]:
        watch = self.folder / "watch"
        watch.mkdir(exist_ok=True)
        text = WATCH.format(tools=str(ROOT / "tools"), file=str(self._missed))
        (watch / "sitecustomize.py").write_text(text)
        path = os.pathsep.join((str(self.cli.home), str(Path(sys.executable).parent), "/usr/bin", "/bin"))
        own = {"PATH": path, "HOME": str(self.folder), "PYTHONPATH": str(watch), **self.extra}
        return own | self.values


@cache
def _compile(given: tuple[tuple[str, str], ...], subscription: str, location: str) -> Compiled:
    env = dict(given)
    with tempfile.TemporaryDirectory() as folder:
        file = shutil.copytree(INFRA, Path(folder) / "infra") / PARAMETERS
        template = compile_template(file, env)
        where = ("--subscription-id", subscription, "--tenant-id", TENANT, "--location", location)
        _bicep("snapshot", str(file), "--mode", "overwrite", *where, env=env)
        found = json.loads(file.with_suffix(".snapshot.json").read_text())
    return Compiled(template, tuple(found["predictedResources"]), found["outputs"])


def _bicep(*arguments: str, env: Mapping[str, str]) -> str:
    own = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    done = subprocess.run(
        [str(need_tool(BICEP)), *arguments], env=own | dict(env), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"bicep {' '.join(arguments)}:\n{done.stderr}"
    return done.stdout


def _run_of(hook: str) -> str:
    text = (ROOT / "azure.yaml").read_text().partition("\nhooks:\n")[2]
    (run,) = re.findall(rf"^  {hook}:\n    posix:\n(?:      .*\n)*?      run: (.*)$", text, re.MULTILINE)
    return str(run)


def _types(node: Any) -> set[str]:
    if isinstance(node, list):
        return {kind for each in node for kind in _types(each)}
    if not isinstance(node, Mapping):
        return set()
    own = {str(node["type"])} if "apiVersion" in node and "type" in node and not node.get("existing") else set()
    return own | {kind for each in node.values() for kind in _types(each)}
