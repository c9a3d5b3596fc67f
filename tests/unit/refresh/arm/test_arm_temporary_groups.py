"""Requests for temporary groups are exact and sent once, and each answer of ARM is checked."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from refresh.domain.azure.plans import Plan
from refresh.domain.azure.vms import Power
from refresh.domain.recipes.recipe import MarketplaceImage
from refresh.domain.recipes.temporary_group import Group
from refresh.gateways.errors import GatewayError, NotFound, Refused, Unavailable
from refresh.wiring import ArmGateways
from tests.support.worlds.scripted_arm import GROUP, SUBSCRIPTION, VM, Answer, ScriptedArm, against, gather

NETWORK = f"{GROUP}/providers/Microsoft.Network/virtualNetworks/net"
NIC = f"{GROUP}/providers/Microsoft.Network/networkInterfaces/nic"
UBUNTU = MarketplaceImage("Canonical", "ubuntu", "server")
SKU = (
    f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Compute/locations/westeurope/publishers/Canonical"
    "/artifacttypes/vmimage/offers/ubuntu/skus/server/versions"
)


def status(code: str, message: str | None = None) -> dict[str, str]:
    return {"code": code, **({"message": message} if message else {})}


def test_latest_is_resolved_to_a_number_and_the_image_is_read() -> None:
    """Two reads: the newest version by name, then that version with its plan."""
    features = [{"name": "SecurityType", "value": "TrustedLaunchSupported"}]
    properties = {
        "hyperVGeneration": "V2",
        "architecture": "x64",
        "osDiskImage": {"operatingSystem": "Linux"},
        "features": features,
        "plan": {"publisher": "p", "product": "o", "name": "n"},
    }
    arm = ScriptedArm(Answer(200, [{"name": "24.04.2"}]), Answer(200, {"name": "24.04.2", "properties": properties}))
    found = against(arm, lambda gateways: gateways.temporary_groups.read_image(SUBSCRIPTION, "westeurope", UBUNTU))
    assert [sent.path for sent in arm.requests] == [SKU, f"{SKU}/24.04.2"]
    assert (arm.requests[0].query["$top"], arm.requests[0].query["$orderby"]) == ("1", "name desc")
    assert (found.image.version, found.os_type, found.generation) == ("24.04.2", "Linux", "V2")
    assert (found.security, found.plan) == ("TrustedLaunchSupported", Plan("p", "o", "n"))


def test_an_image_without_versions_is_not_found() -> None:
    """An empty list is NotFound; a named version is read without reading the newest."""
    arm = ScriptedArm(Answer(200, []))
    with pytest.raises(NotFound):
        against(arm, lambda gateways: gateways.temporary_groups.read_image(SUBSCRIPTION, "westeurope", UBUNTU))
    named = MarketplaceImage("Canonical", "ubuntu", "server", "1.2.3")
    arm = ScriptedArm(Answer(200, {"name": "1.2.3", "properties": {}}))
    found = against(arm, lambda gateways: gateways.temporary_groups.read_image(SUBSCRIPTION, "westeurope", named))
    assert [sent.path for sent in arm.requests] == [f"{SKU}/1.2.3"]
    assert (found.os_type, found.plan) == (None, None)


def test_a_failed_vm_has_azures_reason() -> None:
    """Code and message come from the instance view, so the operation's token is not needed."""
    view = {"statuses": [status("ProvisioningState/failed/AllocationFailed", "no room"), status("PowerState/starting")]}
    body = {"id": VM, "properties": {"provisioningState": "Failed", "vmId": "u", "instanceView": view}}
    read = against(ScriptedArm(Answer(200, body)), lambda gateways: gateways.temporary_groups.read_machine(VM))
    assert (read.failure, read.power, read.unique_id) == (("AllocationFailed", "no room"), Power.STARTING, "u")
    off = {"statuses": [status("OSState/generalized"), status("PowerState/stopped")]}
    body = {"id": VM, "properties": {"provisioningState": "Succeeded", "instanceView": off}}
    read = against(ScriptedArm(Answer(200, body)), lambda gateways: gateways.temporary_groups.read_machine(VM))
    assert (read.failure, read.power, read.generalized) == (None, Power.STOPPED, True)


def test_groups_are_listed_over_all_pages() -> None:
    """Each group has its name, its tags and whether it is being deleted."""
    pages = (
        Answer(200, {"value": [{"id": GROUP, "tags": {"a": "b"}}], "nextLink": "{base}/subscriptions/s/next"}),
        Answer(200, {"value": [{"id": f"{GROUP}2", "properties": {"provisioningState": "Deleting"}}]}),
    )
    found: list[Group] = against(
        ScriptedArm(*pages), lambda gateways: gather(gateways.temporary_groups.list_groups(SUBSCRIPTION))
    )
    assert [(each.name, dict(each.tags), each.provisioning_state) for each in found] == [
        ("web", {"a": "b"}, None),
        ("web2", {}, "Deleting"),
    ]


WRITES: tuple[tuple[Callable[[ArmGateways], Awaitable[Any]], str, str, int, Any], ...] = (
    (
        lambda g: g.temporary_groups.put_group(GROUP, "westeurope", {"a": "b"}),
        "PUT",
        GROUP,
        201,
        {"location": "westeurope", "tags": {"a": "b"}},
    ),
    (lambda g: g.temporary_groups.begin_delete_group(GROUP), "DELETE", GROUP, 202, None),
    (lambda g: g.temporary_groups.put_nic(NIC, {"x": 1}), "PUT", NIC, 201, {"x": 1}),
    (lambda g: g.temporary_groups.begin_create_vm(VM, {"x": 1}), "PUT", VM, 201, {"x": 1}),
    (lambda g: g.temporary_groups.generalize(VM), "POST", f"{VM}/generalize", 200, None),
)


@pytest.mark.parametrize(("call", "method", "path", "answers", "body"), WRITES)
def test_each_write_is_one_request(
    call: Callable[[ArmGateways], Awaitable[Any]], method: str, path: str, answers: int, body: Any
) -> None:
    """Each write is sent once; a refusal, a broken service and a 404 raise different errors."""
    arm = ScriptedArm(Answer(answers, {} if answers != 202 else None))
    assert against(arm, call) is None
    assert [(sent.method, sent.path, sent.body) for sent in arm.requests] == [(method, path, body)]
    for code, error in ((409, Refused), (503, Unavailable), (404, NotFound)):
        refused = ScriptedArm(Answer(code, {"error": {"code": "Why", "message": "no"}}))
        with pytest.raises(error):
            against(refused, call)
        assert len(refused.requests) == 1


@pytest.mark.parametrize("group", ["/subscriptions/s", f"{GROUP}/..", "", f"{GROUP}/providers/x"])
def test_an_id_of_another_type_is_never_deleted(group: str) -> None:
    """An id that is not a resource group's is refused without a request."""
    arm = ScriptedArm()
    with pytest.raises(GatewayError):
        against(arm, lambda gateways: gateways.temporary_groups.begin_delete_group(group))
    assert arm.requests == []


def test_the_region_of_a_subnet_is_its_networks() -> None:
    """The network is read once and its region normalised; an id that is not a subnet's is refused without a request."""
    arm = ScriptedArm(Answer(200, {"id": NETWORK, "location": "West Europe"}))
    where = against(arm, lambda gateways: gateways.temporary_groups.read_network_location(f"{NETWORK}/subnets/a"))
    assert (where, [sent.path for sent in arm.requests]) == ("westeurope", [NETWORK])
    with pytest.raises(Refused):
        against(ScriptedArm(), lambda gateways: gateways.temporary_groups.read_network_location("a/b"))
