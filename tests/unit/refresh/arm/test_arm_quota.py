"""The numbers of reads left in Azure's answers become facts."""

from __future__ import annotations

import pytest

from refresh.arm.quota import reads_left
from refresh.domain.azure.rhythm import READS_UNKNOWN, ReadsLeft
from refresh.gateways.operations import Progress
from refresh.wiring import ArmGateways
from tests.support.worlds.scripted_arm import VM, Answer, ScriptedArm, against

# As recorded: https://learn.microsoft.com/azure/virtual-machines/troubleshooting/troubleshooting-throttling-errors
OF_VM = "Microsoft.Compute/LowCostGetSubscriptionMaximum;23999,Microsoft.Compute/LowCostGetResource;35"
HEADERS = {"x-ms-ratelimit-remaining-resource": OF_VM, "x-ms-ratelimit-remaining-subscription-reads": "249"}


@pytest.mark.parametrize(
    ("headers", "left"),
    [
        (HEADERS, ReadsLeft(35, 249)),
        ({name.upper(): value for name, value in HEADERS.items()}, ReadsLeft(35, 249)),
        ({"x-ms-ratelimit-remaining-resource": "Microsoft.Compute/GetOperationResource;0"}, ReadsLeft(0, None)),
        ({"x-ms-ratelimit-remaining-subscription-reads": "11999"}, ReadsLeft(None, 11999)),
        (
            {"x-ms-ratelimit-remaining-resource": "a;b,;,c;-1", "x-ms-ratelimit-remaining-subscription-reads": "x"},
            READS_UNKNOWN,
        ),
        ({}, READS_UNKNOWN),
    ],
)
def test_the_lowest_counter_counts(headers: dict[str, str], left: ReadsLeft) -> None:
    """Of several counters of one resource the lowest counts; one that cannot be read is None."""
    assert reads_left(headers) == left


def test_a_vm_is_read_with_what_is_left() -> None:
    """A VM has the counters of its answer."""
    arm = ScriptedArm(Answer(200, {"id": VM, "name": "vm1", "location": "westus", "properties": {}}, HEADERS))
    assert against(arm, lambda gateways: gateways.compute.read_vm(VM)).reads_left == ReadsLeft(35, 249)


def test_an_operations_status_has_what_is_left() -> None:
    """An operation's status has the counters and Azure's wait; its begin has the wait before the first read."""
    accepted = {"Azure-AsyncOperation": "{base}/subscriptions/s/operations/1", "Retry-After": "10"}
    goes_on = Answer(200, {"status": "InProgress"}, {**HEADERS, "Retry-After": "30"})
    arm = ScriptedArm(Answer(202, None, accepted), goes_on)

    async def call(gateways: ArmGateways) -> tuple[float | None, Progress]:
        begun = await gateways.compute.begin_deallocate(VM)
        return begun.retry_after_s, await gateways.compute.operation_progress(VM, begun.token or "")

    assert against(arm, call) == (10.0, Progress("InProgress", retry_after_s=30.0, reads_left=ReadsLeft(35, 249)))
