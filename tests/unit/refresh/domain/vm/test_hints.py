"""Which events and listed VMs lead to a read of a VM."""

from __future__ import annotations

from typing import Any

import pytest

from refresh.domain.vm.hints import Hint, Ignored, hint_from_event, is_worth_a_look
from tests.support.worlds.builders import GROUP, VM_ID, make_vm

WRITE = "Microsoft.Resources.ResourceWriteSuccess"
TAGS = "Microsoft.Resources/tags/write"


def event(**data: Any) -> dict[str, Any]:
    return {"operationName": TAGS, "resourceUri": VM_ID, **data}


@pytest.mark.parametrize(
    "data",
    [
        event(),
        event(operationName="microsoft.compute/VIRTUALMACHINES/write"),
        event(resourceUri=f"{VM_ID}/providers/Microsoft.Resources/tags/default"),
        event(resourceUri=f"{VM_ID}/PROVIDERS/microsoft.resources/TAGS/default/"),
        event(resourceUri=None),
    ],
)
def test_a_write_on_a_vm_leads_to_its_read(data: dict[str, Any]) -> None:
    """Writes of tags and VMs lead to a read of the VM, in any spelling of its id."""
    found = hint_from_event(WRITE, VM_ID, data)
    assert found == Hint(VM_ID)


@pytest.mark.parametrize(
    ("event_type", "subject", "data", "malformed"),
    [
        (WRITE, VM_ID, None, True),
        (WRITE, VM_ID, [], True),
        (WRITE, VM_ID, "text", True),
        (None, VM_ID, event(), True),
        (WRITE, VM_ID, {}, True),
        (WRITE, VM_ID, event(operationName=7), True),
        (WRITE, None, {"operationName": TAGS}, True),
        (WRITE, None, event(resourceUri=["x"]), True),
        (WRITE, "", event(resourceUri="/subscriptions/x/providers/Microsoft.Compute/virtualMachines/"), True),
        ("Microsoft.Resources.ResourceDeleteSuccess", VM_ID, event(), False),
        (WRITE, VM_ID, event(operationName="Microsoft.Compute/virtualMachines/extensions/write"), False),
        (WRITE, GROUP, event(resourceUri=GROUP), False),
        (WRITE, VM_ID, event(resourceUri=f"{VM_ID}/extensions/x"), False),
    ],
)
def test_anything_else_is_ignored_with_a_reason(event_type: Any, subject: Any, data: Any, malformed: bool) -> None:
    """Events about other resources are ignored; malformed ones are marked, so that they are logged once."""
    found = hint_from_event(event_type, subject, data)
    assert isinstance(found, Ignored)
    assert found.malformed is malformed
    assert found.why


@pytest.mark.parametrize(
    ("vm_tags", "worth"),
    [
        ({}, False),
        ({"OsDiskName": "web01-old"}, False),
        ({"OsDiskName": "WEB01-OLD "}, False),
        ({"OsDiskName": "web01-202611"}, True),
        ({"OsDiskName": "@previous"}, True),
        ({"RefreshState": "run=x;ran=yes"}, True),
        ({"AutoRefresh": "hold", "OsDiskName": "web01-202611"}, False),
        ({"AutoRefresh": "no", "OsDiskName": "web01-202611"}, False),
    ],
)
def test_the_sweep_reads_only_vms_whose_tag_and_disk_differ(vm_tags: dict[str, str], worth: bool) -> None:
    """A listed VM is read when its tag and OS disk differ or it has the mark of an open swap."""
    assert is_worth_a_look(make_vm(vm_tags)) is worth
