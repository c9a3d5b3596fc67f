"""Functions over Microsoft's Bicep compiler: findings, templates, formatted text, snapshots of deployments.

Decides that one compiler process serves a whole test process, and that answers about files of the repository are
cached. Leaves all rules to the compiler. The protocol is `bicep jsonrpc`,
https://github.com/Azure/bicep/blob/main/src/Bicep.Cli/Rpc/ICliJsonRpcProtocol.cs
"""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tests.support.infra.external_tools import BICEP, need_tool

ROOT = Path(__file__).parents[3]
INFRA = ROOT / "infra"
FILES = sorted(INFRA.rglob("*.bicep"))
PARAMETER_FILES = sorted(INFRA.rglob("*.bicepparam"))
EXAMPLES = INFRA / "examples"

OWN = "11111111-1111-4111-8111-111111111111"
OTHER = "22222222-2222-4222-8222-222222222222"
TENANT = "99999999-9999-4999-8999-999999999999"
# The variables that main.bicepparam reads from azd; no other variable reaches a parameters file.
AZD = {"AZURE_ENV_NAME": "azd", "AZURE_LOCATION": "westeurope"}


@dataclass(frozen=True)
class Finding:
    """An error, a warning or a lint finding of the compiler."""

    file: str
    line: int
    level: str
    code: str
    message: str


@dataclass(frozen=True)
class Built:
    """The compiler's result for a file: the template (None after an error), the findings and the parameters' values."""

    template: dict[str, Any] | None
    findings: tuple[Finding, ...]
    parameters: Mapping[str, Any]

    @property
    def made(self) -> dict[str, Any]:
        """The template; AssertionError when the file does not compile."""
        assert self.template is not None, self.findings
        return self.template


@dataclass(frozen=True)
class Resource:
    """A resource of a deployment, evaluated as far as possible before it."""

    body: Mapping[str, Any]

    @property
    def id(self) -> str:
        """Its id; an expression where Azure generates a part of it."""
        return str(self.body["id"])

    @property
    def type(self) -> str:
        """Its type, with the parent types."""
        return str(self.body["type"])

    def at(self, path: str) -> Any:
        """The value at a dotted path; None without one."""
        value: Any = self.body
        for part in path.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
        return value


@dataclass(frozen=True)
class Snapshot:
    """The predicted result of a deployment."""

    text: str
    resources: tuple[Resource, ...]
    outputs: Mapping[str, Any]

    def of_type(self, kind: str) -> list[Resource]:
        """The resources of one type."""
        return [resource for resource in self.resources if resource.type.lower() == kind.lower()]


class CompilerError(Exception):
    """The compiler or the evaluation of the template failed; the text is its message."""


class _Compiler:
    """A running `bicep jsonrpc`."""

    def __init__(self, program: Path) -> None:
        env = {name: os.environ[name] for name in ("HOME", "PATH", "TMPDIR") if name in os.environ} | AZD
        self._process = subprocess.Popen(
            [str(program), "jsonrpc", "--stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env
        )
        self._requests = 0
        atexit.register(self.close)

    def request(self, method: str, **arguments: Any) -> dict[str, Any]:
        """Send one request and return its result. Raises CompilerError with the compiler's message."""
        assert self._process.stdin is not None
        self._requests += 1
        body = json.dumps({"jsonrpc": "2.0", "id": self._requests, "method": f"bicep/{method}", "params": arguments})
        self._process.stdin.write(f"Content-Length: {len(body.encode())}\r\n\r\n{body}".encode())
        self._process.stdin.flush()
        answer = self._answer()
        if "error" in answer:
            raise CompilerError(answer["error"]["message"])
        return dict(answer["result"])

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        length = 0
        while line := self._process.stdout.readline().strip():
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        assert length, "the Bicep compiler ended"
        return dict(json.loads(self._process.stdout.read(length)))

    def close(self) -> None:
        """End the process."""
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()
        self._process.wait(timeout=30)


@cache
def _compiler() -> _Compiler:
    return _Compiler(need_tool(BICEP))


def build(path: Path) -> Built:
    """Compile and lint a .bicep or .bicepparam file; the latter's template is that of its `using` statement."""
    if path.suffix == ".bicepparam":
        answer = _compiler().request("compileParams", path=str(path), parameterOverrides={})
        template = answer.get("template")
    else:
        answer = _compiler().request("compile", path=str(path))
        template = answer.get("contents")
    findings = tuple(_finding(each) for each in answer["diagnostics"])
    given = json.loads(answer.get("parameters") or "{}").get("parameters", {})
    values = {name: value["value"] for name, value in given.items()}
    return Built(json.loads(template) if template and answer["success"] else None, findings, values)


@cache
def built(path: Path) -> Built:
    """`build` of a file of the repository, cached."""
    return build(path)


def formatted(path: Path) -> str:
    """The text of a file as the compiler formats it."""
    return str(_compiler().request("format", path=str(path))["contents"])


def snapshot(path: Path, management_group: str = "") -> Snapshot:
    """The predicted deployment of a .bicepparam file, in the subscription OWN or in a management group.

    Raises CompilerError with the message of the compiler, or of `fail` in a template.
    """
    metadata = {"tenantId": TENANT, "location": "westeurope", "deploymentName": "snapshot"}
    metadata |= {"managementGroupId": management_group} if management_group else {"subscriptionId": OWN}
    found = json.loads(_compiler().request("getSnapshot", path=str(path), metadata=metadata)["snapshot"])
    assert not found["diagnostics"], found["diagnostics"]
    # The compiler returns outputs in no fixed order.
    text = json.dumps(found, indent=1, sort_keys=True) + "\n"
    return Snapshot(text, tuple(Resource(each) for each in found["predictedResources"]), found["outputs"])


def deployment(template: str = "main.bicep", **parameters: Any) -> Snapshot:
    """`snapshot` of a template with these parameters; main.bicep gets values for those without a default."""
    needed = {"environmentName": "example", "location": "westeurope", "apiClientId": "client"}
    given = (needed if template == "main.bicep" else {}) | parameters
    lines = [f"param {name} = {_literal(value)}\n" for name, value in given.items()]
    return _deployment(template, "".join(lines))


@cache
def _deployment(template: str, parameters: str) -> Snapshot:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder).resolve() / "given.bicepparam"
        path.write_text(f"using '{os.path.relpath(INFRA / template, path.parent)}'\n{parameters}")
        return snapshot(path, _management_group(template))


@cache
def example(name: str) -> Snapshot:
    """The snapshot of a parameters file in infra/examples, cached."""
    return snapshot(EXAMPLES / f"{name}.bicepparam", _management_group(f"{name}.bicep"))


def _management_group(template: str) -> str:
    return "fleet" if template == "management-group.bicep" else ""


def declared(path: Path, kind: str) -> dict[str, Any]:
    """The `parameters`, `outputs` or `definitions` (types) of a compiled file by name."""
    return dict(built(path).made.get(kind, {}))


def needed_parameters(path: Path) -> set[str]:
    """The parameters of a file that have no default."""
    return {name for name, value in declared(path, "parameters").items() if "defaultValue" not in value}


def all_resources(snapshots: Iterable[Snapshot]) -> Iterator[Resource]:
    """Every resource of several deployments."""
    return (resource for each in snapshots for resource in each.resources)


def _finding(found: Mapping[str, Any]) -> Finding:
    file = Path(found["source"]).name
    return Finding(file, found["range"]["start"]["line"] + 1, found["level"], found["code"], found["message"])


def _literal(value: Any) -> str:
    """A value as Bicep writes it."""
    if isinstance(value, str):
        text = value.replace("\\", "\\\\").replace("'", "\\'").replace("${", "\\${")
        return f"'{text}'"
    if isinstance(value, Mapping):
        return "{\n" + "".join(f"'{name}': {_literal(each)}\n" for name, each in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[\n" + "".join(f"{_literal(each)}\n" for each in value) + "]"
    return json.dumps(value)
