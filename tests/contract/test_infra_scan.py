"""A security scan of infra/: every finding is fixed or has its reason in tests/commands/scan.py."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.commands.scan import SKIPS, ensure_scanner, run, template, write_templates
from tests.support.infra.bicep import INFRA, snapshot

# Mistake -> the module, the right and the wrong text, and the number of the check that must find it.
MISTAKES = {
    "plain http to the storage": ("storage", "supportsHttpsTrafficOnly: true", "supportsHttpsTrafficOnly: false", 3),
    "an old TLS to the storage": ("storage", "'TLS1_2'", "'TLS1_0'", 44),
    "a public container": (
        "storage",
        "name: 'app-package'",
        "name: 'a'\n      properties: { publicAccess: 'Blob' }",
        34,
    ),
    "SSH open to the internet": (
        "network",
        "'Deny'\n          direction: 'Inbound'\n          priority: 100\n          protocol: '*'\n"
        "          sourceAddressPrefix: '*'\n          sourcePortRange: '*'\n"
        "          destinationAddressPrefix: '*'\n          destinationPortRange: '*'",
        "'Allow'\n          direction: 'Inbound'\n          priority: 100\n          protocol: 'Tcp'\n"
        "          sourceAddressPrefix: '*'\n          sourcePortRange: '*'\n"
        "          destinationAddressPrefix: '*'\n          destinationPortRange: '22'",
        10,
    ),
    "plain http to the app": ("app", "httpsOnly: true", "httpsOnly: false", 14),
    "an old TLS to the app": ("app", "minTlsVersion: '1.2'\n      scm", "minTlsVersion: '1.0'\n      scm", 15),
    "FTP open": ("app", "ftpsState: 'Disabled'", "ftpsState: 'AllAllowed'", 78),
    "remote debugging": ("app", "remoteDebuggingEnabled: false", "remoteDebuggingEnabled: true", 72),
    "keys of the outcome topic": ("outcome-topic", "disableLocalAuth: true", "disableLocalAuth: false", 192),
}


def test_every_finding_of_the_scanner_has_its_reason(tmp_path: Path) -> None:
    """The scan reads all of infra/, every finding has a reason, and every reason has a finding."""
    ensure_scanner()
    write_templates(tmp_path)
    scan = run(tmp_path)
    assert scan.unread == ()
    assert [finding for finding in scan.failed if not finding.reason] == []
    assert {(finding.check, finding.type) for finding in scan.failed} == set(SKIPS)
    assert scan.passed >= 30


def test_the_scanner_finds_a_mistake(tmp_path: Path) -> None:
    """Each deliberate mistake fails its check, and the right text passes that check."""
    ensure_scanner()
    templates = tmp_path / "templates"
    templates.mkdir()
    for number, (module, right, wrong, _) in enumerate(MISTAKES.values()):
        infra = tmp_path / str(number)
        shutil.copytree(INFRA, infra)
        changed = infra / "modules" / f"{module}.bicep"
        text = changed.read_text()
        assert right in text
        changed.write_text(text.replace(right, wrong, 1))
        mistaken = snapshot(infra / "examples" / "fleet.bicepparam")
        (templates / f"{number}.json").write_text(template(mistaken.resources))
    found = {(finding.template, finding.check) for finding in run(templates).failed}
    missed = [
        mistake
        for number, (mistake, (*_, check)) in enumerate(MISTAKES.items())
        if (f"{number}.json", f"CKV_AZURE_{check}") not in found
    ]
    assert missed == []
    assert not {f"CKV_AZURE_{check}" for *_, check in MISTAKES.values()} & {check for check, _ in SKIPS}


def test_a_folder_that_cannot_be_scanned_is_an_error(tmp_path: Path) -> None:
    """A scan without a result raises an error instead of reporting no findings."""
    ensure_scanner()
    with pytest.raises(RuntimeError, match="no result from"):
        run(tmp_path)
