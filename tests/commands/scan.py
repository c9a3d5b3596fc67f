"""Scans what infra/ deploys for security faults, with the reason for each accepted finding: `make scan`.

The scanner is checkov. Its input is the output of `bicep snapshot`: every resource of a deployment, evaluated as far as
possible before a deployment. checkov's own Bicep parser is not used, because it stops at typed parameters; compiled
templates are not used, because it ignores the symbolic names that typed parameters cause.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.commands.snapshots import NAMES
from tests.support.infra.bicep import ROOT, Resource, deployment, example

CHECKOV = ROOT / ".scan-venv" / "bin" / "checkov"
_SCHEMA = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"

_STORAGE = "Microsoft.Storage/storageAccounts"
_SITE = "Microsoft.Web/sites"
_CONFIG = "Microsoft.Web/sites/config"
_TOPIC = "Microsoft.EventGrid/topics"
_WEB_ONLY = "a property of the configuration named web, which infra/ does not have; the check runs on all"
# (check, resource type) -> why the finding is accepted.
SKIPS = {
    ("CKV_AZURE_35", _STORAGE): "the host may have no virtual network that a rule could allow; keys are off instead",
    ("CKV_AZURE_206", _STORAGE): "after a loss a swap is recovered from the tags of its VM, not from storage",
    ("CKV_AZURE_225", "Microsoft.Web/serverfarms"): "a parameter of main.bicep, which names the price",
    ("CKV_AZURE_222", _SITE): "Event Grid delivers to the public address; every other path requires an Entra token",
    ("CKV_AZURE_17", _SITE): "callers send an Entra token, and Event Grid has no client certificate",
    ("CKV_AZURE_212", _SITE): "Flex Consumption has no minimum instance count; alwaysReady is a parameter",
    ("CKV_AZURE_213", _SITE): "Health check is for Premium and Dedicated plans; Flex Consumption has none",
    ("CKV_AZURE_222", _CONFIG): "public access is a property of the site, not of its settings",
    ("CKV_AZURE_13", _CONFIG): "the check reads only authsettings; authsettingsV2 is deployed and tested",
    ("CKV_AZURE_80", _CONFIG): "the app does not use .NET",
    ("CKV_AZURE_88", _CONFIG): "Flex Consumption takes its package from a blob container and mounts no file share",
    ("CKV_AZURE_63", _CONFIG): _WEB_ONLY,
    ("CKV_AZURE_65", _CONFIG): _WEB_ONLY,
    ("CKV_AZURE_66", _CONFIG): _WEB_ONLY,
    ("CKV_AZURE_193", _TOPIC): "without a virtual network the app publishes from a public address; keys are off",
    ("CKV_AZURE_191", _TOPIC): "the topic delivers with the identity of each subscription, not its own",
}


@dataclass(frozen=True)
class Finding:
    """One failed check of one resource in one template."""

    template: str
    check: str
    type: str
    sentence: str

    @property
    def reason(self) -> str | None:
        """Why the finding is accepted; None without a reason."""
        return SKIPS.get((self.check, self.type))


@dataclass(frozen=True)
class Scan:
    """The scanner's result for a folder."""

    passed: int
    failed: tuple[Finding, ...]
    unread: tuple[str, ...]


def main() -> int:
    """Scan infra/; the exit code is 1 for a finding without a reason or a template that cannot be read."""
    ensure_scanner()
    with tempfile.TemporaryDirectory() as folder:
        write_templates(Path(folder))
        try:
            scan = run(Path(folder))
        except RuntimeError as unread:
            print(unread, file=sys.stderr)
            return 1
    open_ones = [finding for finding in scan.failed if not finding.reason]
    for finding in open_ones:
        print(f"{finding.template}: {finding.type}: {finding.check} {finding.sentence}", file=sys.stderr)
    for name in scan.unread:
        print(f"{name}: the scanner cannot read it", file=sys.stderr)
    skipped = len(scan.failed) - len(open_ones)
    print(f"{scan.passed} checks passed, {skipped} skipped with a reason, {len(open_ones)} open")
    return bool(open_ones or scan.unread or not scan.passed)


def ensure_scanner() -> None:
    """Install the scanner's environment unless the pinned version is there."""
    subprocess.run(["make", "--silent", "scan-venv"], cwd=ROOT, check=True, stdout=sys.stderr)


def run(folder: Path) -> Scan:
    """Run checkov, offline, on the ARM templates in `folder`. Raises RuntimeError when it returns no result."""
    command = [str(CHECKOV), "--directory", str(folder), "--framework", "arm", "--skip-download", "--output", "json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        results = json.loads(done.stdout)["results"]
    except (ValueError, KeyError, TypeError) as unreadable:
        raise RuntimeError(f"no result from {' '.join(command)}: {done.stdout}{done.stderr}") from unreadable
    return Scan(
        len(results["passed_checks"]),
        tuple(_finding(each) for each in results["failed_checks"]),
        tuple(results["parsing_errors"]),
    )


def write_templates(folder: Path) -> None:
    """Write the deployments of infra/ into `folder`: the examples, and one with the default parameters."""
    for name in NAMES:
        (folder / f"{name}.json").write_text(template(example(name).resources))
    (folder / "defaults.json").write_text(template(deployment(durableBackend="scheduler").resources))


def template(resources: Iterable[Resource]) -> str:
    """The resources as an ARM template."""
    listed = [dict(each.body) for each in resources]
    return json.dumps({"$schema": _SCHEMA, "contentVersion": "1.0.0.0", "resources": listed}, indent=1)


def _finding(result: dict[str, Any]) -> Finding:
    # "Microsoft.Web/sites/config.func/web": the first dot after the provider ends the type.
    provider, _, rest = str(result["resource"]).partition("/")
    kind = f"{provider}/{rest.partition('.')[0]}"
    return Finding(Path(result["file_path"]).name, result["check_id"], kind, result["check_name"])


if __name__ == "__main__":
    sys.exit(main())
