"""Holds a month's disk against the preflight checks of the swap that it is made for, before it is made and after.

Decides which facts stand for a disk that does not exist yet: those that Azure will answer about it. The checks are the
swap's own (`domain/preflight`), so a disk that the swap would refuse is neither made nor paid for.
"""

from __future__ import annotations

from refresh.arm.disks import disk_from_arm
from refresh.domain.azure.disks import Disk
from refresh.domain.azure.polls import BULK_BUDGET_S
from refresh.domain.disks.new_disk import disk_body, expected_answer
from refresh.domain.preflight.all_checks import check_planned
from refresh.domain.preflight.check import Check, first_failed
from refresh.domain.terms import resource_id
from refresh.domain.vm.facts import Facts
from refresh.domain.vm.wish import Wish, with_wish
from refresh.gateways.gateways import Gateways
from refresh.reading.calls.paced_reads import Pace, Reads
from refresh.reading.disks.disk_plans import DiskPlan
from refresh.reading.fleet.recent_vms import RecentVms
from refresh.reading.swap.decide_many import Recall, holds_of
from refresh.reading.swap.facts import policy_of
from refresh.reading.swap.preflight_facts import HoldOf, PreflightReader
from refresh.settings.settings import Settings


def planned_disk(plan: DiskPlan, period: str) -> Disk:
    """The disk of `plan` as it will be once it is made."""
    body = disk_body(plan.vm, plan.current, plan.definition, plan.version, period)
    return disk_from_arm(expected_answer(plan.disk_id, body, plan.definition))


class SwapChecks:
    """The checks for many VMs; what they share is read once: the app's rights, locks, other VMs' tags."""

    def __init__(
        self,
        gateways: Gateways,
        settings: Settings,
        recall: Recall,
        *,
        exact: bool = True,
        force: bool = False,
        hold_of: HoldOf | None = None,
    ) -> None:
        """Read from `gateways`; without `exact` (plans from lists) rights, locks and other VMs' tags are not read.

        `hold_of`: what is recorded about any other VM; without it that is in `recall`.
        """
        self._policy = policy_of(settings)
        self._recall = recall
        self._force = force
        reads = Reads(Pace(gap_s=0.0), BULK_BUDGET_S)
        others = RecentVms(gateways.compute)
        holds = hold_of or holds_of(recall)
        self._reader = PreflightReader(gateways.access, others, self._policy, reads, holds) if exact else None

    async def first_failed_of(self, plan: DiskPlan, period: str) -> Check | None:
        """The check for which the swap would refuse the disk of `plan`; None when there is none. GatewayError."""
        if plan.existing is None:
            return await self.first_failed(plan, planned_disk(plan, period))
        return await self.first_failed(plan, plan.existing)

    async def first_failed(self, plan: DiskPlan, disk: Disk) -> Check | None:
        """The check for which the swap would refuse `disk`; None for the disk that the VM runs. GatewayError."""
        vm = plan.vm
        if resource_id.same(disk.id, vm.os_disk_id):
            return None
        recalled = self._recall(vm.id)
        facts = Facts(
            with_wish(vm, disk.name),
            Wish(disk.name, disk.id),
            current=plan.current,
            wanted=disk,
            version=plan.version,
            definition=plan.definition,
            preflight=await self._reader.read(vm, plan.current, disk) if self._reader is not None else None,
            ran=frozenset(recalled.get("ran", ())),
            rejected=frozenset(recalled.get("rejected", ())),
        )
        return first_failed(check_planned(facts, self._policy, force=self._force))
