"""What is checked before downtime is written down, all of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from refresh.domain.azure.guests import Guest
from refresh.domain.health.ladder import OPTIONAL
from refresh.domain.preflight.all_checks import PROMISES
from refresh.domain.preflight.check import Promise
from refresh.domain.preflight.rights import READ_ADDRESS, needed_by_rungs, needed_on
from refresh.domain.terms.stop_mode import StopMode
from refresh.domain.vm.warnings import WarningKind
from tests.support.worlds.builders import GROUP, VM_ID, disk_id, make_vm

ROOT = Path(__file__).parents[2]
DOC = (ROOT / "docs" / "preflight.md").read_text()


def row_of(promise: Promise) -> str:
    evidence = f"{promise.evidence} ([source]({promise.source}))" if promise.source else str(promise.evidence)
    code = f"`{promise.azure_code}`" if promise.azure_code else ""
    return f"| {promise.name} | `{promise.reason}` | {evidence} | {code} |"


def test_the_table_is_the_promises() -> None:
    """The table has a row for each check, in order, with its reason, evidence and Azure's error, and no other row."""
    table = DOC.split("| --- | --- | --- | --- |\n")[1].split("\n\n")[0]
    assert table.splitlines() == [row_of(promise) for promise in PROMISES]


@pytest.mark.parametrize("kind", WarningKind)
def test_every_warning_is_written_down(kind: WarningKind) -> None:
    """Each warning has its row."""
    assert len(re.findall(rf"^\| `{kind}` \|", DOC, re.MULTILINE)) == 1


def test_every_right_is_written_down() -> None:
    """Whoever assigns the app's role finds each action in the list."""
    encryption_set = f"{GROUP}/providers/Microsoft.Compute/diskEncryptionSets/ours"
    scopes = [(VM_ID, mode) for mode in StopMode]
    scopes += [(disk_id("web01-old"), StopMode.DEALLOCATE), (encryption_set, StopMode.DEALLOCATE)]
    for scope, mode in scopes:
        for action in needed_on(scope, mode):
            assert action in DOC or f"`/{action.split('/', 2)[2]}`" in DOC, action


def test_every_read_that_is_only_warned_about_is_written_down() -> None:
    """The rungs' reads stand in the list with the rung that is lost without them."""
    vm = make_vm(guest=Guest(nic_id=f"{GROUP}/providers/Microsoft.Network/networkInterfaces/web01-nic"))
    needed = needed_by_rungs(vm, OPTIONAL, probed=True)
    assert set(needed) == {"boot-log", "resource-health", "probe"}
    for rung, (action, _) in needed.items():
        assert re.search(rf"^\| `{action}` \|.*`{rung}`", DOC, re.MULTILINE), action
    assert f"`{READ_ADDRESS}`" in DOC


def test_the_readme_leads_there() -> None:
    """The README has the link."""
    assert "docs/preflight.md" in (ROOT / "README.md").read_text()
