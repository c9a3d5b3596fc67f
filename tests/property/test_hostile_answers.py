"""Any answer of ARM to any read is a value or an error of the app, never another exception."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from refresh.domain.swap.decision import decide_swap
from refresh.domain.vm.facts import Facts
from refresh.domain.vm.wish import choose_wish
from refresh.gateways.errors import GatewayError
from refresh.reading.swap.facts import policy_of
from refresh.settings.settings import Settings
from refresh.wiring import ArmGateways
from simulator.arm.core.messages import Answer as ArmAnswer
from tests.support.chaos.hostile_answers import Hostile, edited, endless, rows, wholes
from tests.support.worlds.builders import SUBSCRIPTION as HOME
from tests.support.worlds.local_azure import disk_body, vm_body
from tests.support.worlds.scripted_arm import (
    DEFINITION,
    GALLERY,
    GROUP,
    SUBSCRIPTION,
    VERSION,
    VM,
    Answer,
    ScriptedArm,
    against,
    gather,
)

_VM = vm_body(OsDiskName="web01-new", RefreshState="run=x")
_DISK = disk_body("web01-new", timeCreated="2026-11-01T00:00:00Z", diskState="Unattached")
_ID = str(_VM["id"])
_READS: dict[str, Callable[[ArmGateways], Any]] = {
    "vm": lambda gateways: gateways.compute.read_vm(VM),
    "vms": lambda gateways: gather(gateways.compute.list_vms(SUBSCRIPTION)),
    "group": lambda gateways: gather(gateways.compute.list_group_vms(GROUP)),
    "disk": lambda gateways: gateways.disks.read_disk(str(_DISK["id"])),
    "disks": lambda gateways: gather(gateways.disks.list_disks(SUBSCRIPTION)),
    "definition": lambda gateways: gateways.gallery.read_definition(DEFINITION),
    "definitions": lambda gateways: gather(gateways.gallery.list_definitions(GALLERY)),
    "version": lambda gateways: gateways.gallery.read_version(VERSION),
    "versions": lambda gateways: gather(gateways.gallery.list_versions(DEFINITION)),
    "locks": lambda gateways: gateways.access.list_locks(GROUP),
    "rights": lambda gateways: gateways.access.read_grants(GROUP),
    "sizes": lambda gateways: gateways.access.list_sizes(SUBSCRIPTION, "westeurope"),
    "provider": lambda gateways: gateways.access.read_registration(SUBSCRIPTION, "Microsoft.Compute"),
    "health": lambda gateways: gateways.guests.read_resource_health(VM),
    "address": lambda gateways: gateways.guests.read_private_ip(f"{GROUP}/providers/Microsoft.Network/nics/n"),
    "groups": lambda gateways: gather(gateways.temporary_groups.list_groups(SUBSCRIPTION)),
    "machine": lambda gateways: gateways.temporary_groups.read_machine(VM),
    "scope": lambda gateways: gateways.graph.list_scope(),
    "clock": lambda gateways: gateways.clock.now(),
    "start": lambda gateways: gateways.compute.begin_start(VM),
    "swap": lambda gateways: gateways.compute.begin_os_disk(VM, str(_DISK["id"]), "web01-new"),
    "tags": lambda gateways: gateways.tags.merge_tags(VM, {"a": "b"}),
}


def _answers(read: str, hostile: Hostile) -> list[Answer]:
    """The answers to all requests of one read: like Azure's, but hostile."""
    resource = _DISK if read.startswith("disk") else _VM
    listed = read.endswith("s") or read in ("group", "scope")
    body = {"value": [resource], "data": [resource]} if listed else resource
    arm = ArmAnswer(200, copy.deepcopy(body))
    hostile.change(arm, str(resource["id"]), "{base}/subscriptions/again")
    content = arm.body.encode("utf-8", "surrogatepass") if isinstance(arm.body, str) else arm.body
    return [Answer(arm.status, content, arm.headers)] * 4


@settings(max_examples=150)
@given(st.sampled_from(sorted(_READS)), st.one_of(wholes(), edited(), rows(), endless()))
def test_a_read_ends_with_a_value_or_an_error_of_the_app(read: str, hostile: Hostile) -> None:
    """Whatever status, headers, body, rows or next page an answer has."""

    async def call(gateways: ArmGateways) -> Any:
        try:
            return await _READS[read](gateways)
        except GatewayError as error:
            str(error).encode()
            return None

    against(ScriptedArm(*_answers(read, hostile)), call)


@settings(max_examples=100)
@given(edited())
def test_any_vm_that_can_be_read_can_be_decided_about(hostile: Hostile) -> None:
    """A VM with hostile fields has a wish and a decision with a message that can be stored."""
    answer = ArmAnswer(200, copy.deepcopy(_VM))
    hostile.change(answer, _ID, "")
    policy = policy_of(Settings.from_env({"REFRESH_SUBSCRIPTIONS": HOME}))

    async def decide(gateways: ArmGateways) -> None:
        try:
            vm = await gateways.compute.read_vm(VM)
        except GatewayError:
            return
        facts = Facts(vm, choose_wish(vm, policy.disk_groups))
        decision = decide_swap(facts, policy)
        f"{decision.reason} {decision.message} {facts.wish.text}".encode()

    against(ScriptedArm(Answer(200, answer.body)), decide)
