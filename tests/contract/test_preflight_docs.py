"""docs/preflight.md documents every check before downtime."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from refresh.domain.azure.guests import Guest
from refresh.domain.health.ladder import OPTIONAL
from refresh.domain.preflight.all_checks import PROMISES
from refresh.domain.preflight.check import Promise
from refresh.domain.preflight.rights import READ_ADDRESS, needed_by_rungs, needed_on
from refresh.domain.vm.stop_mode import StopMode
from refresh.domain.vm.warnings import WarningKind
from tests.support.worlds.builders import GROUP, VM_ID, disk_id, make_vm

ROOT = Path(__file__).parents[2]
DOC = (ROOT / "docs" / "preflight.md").read_text()


def row_of(promise: Promise) -> str:
    evidence = f"{promise.evidence} ([source]({promise.source}))" if promise.source else str(promise.evidence)
    code = f"`{promise.azure_code}`" if promise.azure_code else ""
    return f"| {promise.name} | `{promise.reason}` | {evidence} | {code} |"


def test_the_table_has_every_check() -> None:
    """The table has exactly one row for each check, in order, with its reason, evidence and Azure's error."""
    table = DOC.split("| --- | --- | --- | --- |\n")[1].split("\n\n")[0]
    assert table.splitlines() == [row_of(promise) for promise in PROMISES]


@pytest.mark.parametrize("kind", WarningKind)
def test_every_warning_is_documented(kind: WarningKind) -> None:
    """Each warning has one row."""
    assert len(re.findall(rf"^\| `{kind}` \|", DOC, re.MULTILINE)) == 1


def test_every_right_is_documented() -> None:
    """The page lists each action that the preflight checks need."""
    encryption_set = f"{GROUP}/providers/Microsoft.Compute/diskEncryptionSets/ours"
    scopes = [(VM_ID, mode) for mode in StopMode]
    scopes += [(disk_id("web01-old"), StopMode.DEALLOCATE), (encryption_set, StopMode.DEALLOCATE)]
    for scope, mode in scopes:
        for action in needed_on(scope, mode):
            assert action in DOC or f"`/{action.split('/', 2)[2]}`" in DOC, action


def test_every_read_that_only_causes_a_warning_is_documented() -> None:
    """The list has the read action of each optional rung with the rung that needs it."""
    vm = make_vm(guest=Guest(nic_id=f"{GROUP}/providers/Microsoft.Network/networkInterfaces/web01-nic"))
    needed = needed_by_rungs(vm, OPTIONAL, probed=True)
    assert set(needed) == {"boot-log", "resource-health", "probe"}
    for rung, (action, _) in needed.items():
        assert re.search(rf"^\| `{action}` \|.*`{rung}`", DOC, re.MULTILINE), action
    assert f"`{READ_ADDRESS}`" in DOC


def test_the_readme_links_to_the_page_about_preflight() -> None:
    """The README links to docs/preflight.md."""
    assert "docs/preflight.md" in (ROOT / "README.md").read_text()
