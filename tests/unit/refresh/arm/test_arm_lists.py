"""Lists whose pages do not end, and lists in which a row has no id."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from refresh.gateways.errors import NotFound, Unavailable, Unnamed
from refresh.wiring import ArmGateways
from tests.support.worlds.scripted_arm import DISK, GROUP, SUBSCRIPTION, VM, Answer, ScriptedArm, against, gather

_VMS = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Compute/virtualMachines"
_SAME = Answer(200, {"value": [{"id": VM}], "nextLink": f"{{base}}{_VMS}?again=1"})
_TOKEN = {
    "totalRecords": 2,
    "count": 1,
    "data": [{"id": VM}],
    "facets": [],
    "resultTruncated": "false",
    "$skipToken": "x",
}
_ENDLESS: dict[str, tuple[Answer, Callable[[ArmGateways], Any]]] = {
    "vms": (_SAME, lambda gateways: gather(gateways.compute.list_vms(SUBSCRIPTION))),
    "disks": (_SAME, lambda gateways: gather(gateways.disks.list_disks(SUBSCRIPTION))),
    "locks": (_SAME, lambda gateways: gateways.access.list_locks(GROUP)),
    "graph": (Answer(200, _TOKEN), lambda gateways: gateways.graph.list_scope()),
}


@pytest.mark.parametrize("kind", _ENDLESS)
def test_a_list_that_leads_to_its_own_page_again_is_unavailable(kind: str) -> None:
    """A next page that was read before ends the list with an error after three requests at most."""
    answer, read = _ENDLESS[kind]
    arm = ScriptedArm(*[answer] * 9)
    with pytest.raises(Unavailable, match="do not end"):
        against(arm, read)
    assert len(arm.requests) <= 3


def test_rows_without_an_id_are_reported_after_all_others() -> None:
    """Every row with an id is given, whatever stands beside it; then the list raises Unnamed."""
    odd: list[Any] = [{}, {"id": None}, {"id": 7}, {"id": ""}, {"tags": {"AutoRefresh": "true"}}]
    arm = ScriptedArm(
        Answer(200, {"value": [*odd, {"id": VM}], "nextLink": f"{{base}}{_VMS}?page=2"}),
        Answer(200, {"value": [{"id": f"{VM}2"}, *odd]}),
    )
    found = []

    async def read(gateways: ArmGateways) -> None:
        async for vm in gateways.compute.list_vms(SUBSCRIPTION):
            found.append(vm.id)

    with pytest.raises(Unnamed, match="10 of the rows"):
        against(arm, read)
    assert found == [VM, f"{VM}2"]


@pytest.mark.parametrize("row", [None, 7, "x", [], [7]])
def test_a_row_that_is_no_object_hides_no_other(row: Any) -> None:
    """Every VM on its page is given."""
    arm, found = ScriptedArm(Answer(200, {"value": [row, {"id": VM}]})), []

    async def read(gateways: ArmGateways) -> None:
        async for vm in gateways.compute.list_vms(SUBSCRIPTION):
            found.append(vm.id)

    with pytest.raises(Unnamed):
        against(arm, read)
    assert found == [VM]


@pytest.mark.parametrize(
    ("listed", "read"),
    [
        (lambda gateways: gather(gateways.compute.list_vms(SUBSCRIPTION)), lambda one: one.compute.read_vm(VM)),
        (lambda gateways: gather(gateways.compute.list_group_vms(GROUP)), lambda one: one.compute.read_vm(VM)),
        (lambda gateways: gather(gateways.disks.list_disks(SUBSCRIPTION)), lambda one: one.disks.read_disk(DISK)),
    ],
    ids=["VMs", "VMs of a group", "disks"],
)
def test_a_list_has_the_api_version_of_the_library(
    listed: Callable[[ArmGateways], Any], read: Callable[[ArmGateways], Any]
) -> None:
    """The lists that the app reads without the library's models are of the version that the library reads."""
    arm = ScriptedArm(Answer(200, {"value": []}), Answer(404, {"error": {"code": "NotFound", "message": "none"}}))

    async def both(gateways: ArmGateways) -> None:
        assert await listed(gateways) == []
        with pytest.raises(NotFound):
            await read(gateways)

    against(arm, both)
    listing, reading = (request.query["api-version"] for request in arm.requests)
    assert listing == reading
