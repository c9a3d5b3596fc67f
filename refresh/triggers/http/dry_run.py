"""Dry runs: what a POST would do, as far as it is known in advance. No ARM write, no start.

Decides what is read and how a plan adds up. Makes no decision itself: the same functions plan the real runs.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from refresh import wiring
from refresh.domain.swap.decided_vm import DecidedVm
from refresh.domain.swap.decision import Skip
from refresh.domain.swap.way_back import Given
from refresh.domain.terms import resource_id
from refresh.domain.terms.swap_reason import Reason
from refresh.domain.vm.facts import Facts
from refresh.domain.vm.wish import Wish
from refresh.gateways.gateways import Gateways
from refresh.reading.disks.checked_plans import plan_disks
from refresh.reading.disks.disk_plans import DISK
from refresh.reading.disks.month_plans import MonthBasis, plan_month
from refresh.reading.disks.tag_plans import plan_tags
from refresh.reading.fleet.subscription_lists import Inventory, list_inventory
from refresh.reading.images.version_plans import plan_images
from refresh.reading.swap.decide_many import decide_as_if
from refresh.reading.swap.unforeseen import refuse_unforeseen
from refresh.reading.swap.ways_back import WayBack, WayBackReader, read_ways_back
from refresh.records.month import CREATE, MonthInput
from refresh.settings.settings import Settings
from refresh.views.dispatcher_state import DispatcherView
from refresh.views.plans import WRITE_TAG, adoption_record, disk_record, dry_run, swap_record
from refresh.views.vms import MadeDisks, plan_record, refusal_plan_record

type Json = dict[str, Any]
type Rows = Sequence[Mapping[str, Any]]


class DryRun:
    """One dry run: everything is read once."""

    def __init__(self, gateways: Gateways, settings: Settings, dispatcher: DispatcherView) -> None:
        """Plan against Azure as it is and the dispatcher's state."""
        self._gateways = gateways
        self._settings = settings
        self._dispatcher = dispatcher

    async def images(self, request: MonthInput, period: str) -> Json:
        """The rows of image definitions."""
        specs = wiring.image_specs()
        rows = await plan_images(self._gateways, self._settings, specs, period, force_rebuild=request.force_rebuild)
        return dry_run(rows)

    async def disks(self, request: MonthInput, period: str) -> Json:
        """The rows of VMs with the disks that would be made."""
        rows = await plan_disks(self._gateways, self._settings, request.vms, period, self._dispatcher.recall)
        made = {_disk_id(row).lower() for row in rows if row["decision"] == CREATE and row.get("next")}
        return dry_run([self._of_disk(row, made) for row in rows])

    async def tags(self, request: MonthInput, period: str) -> Json:
        """The rows of VMs with the swaps that writing their tags would lead to."""
        declined_by = self._dispatcher.declined_by
        rows = await plan_tags(
            self._gateways, self._settings, request.vms, period, force=request.force, declined_by=declined_by
        )
        wishes = {row["vm"]: row["next"] for row in rows if row["decision"] == CREATE}
        swaps = await self._decide(wishes, force=request.force)
        return dry_run([swaps.get(row["vm"].lower()) or self._of_disk(row, ()) for row in rows])

    async def swap(self, vms: Sequence[str], disk: str | None, *, force: bool, asked: bool) -> Json:
        """The rows of VMs as if their tags named `disk` (None: as their tags are); `asked` as in a `SwapRequest`."""
        swaps = await self._decide(dict.fromkeys(vms, disk), force=force, asked=asked)
        return dry_run([swaps[vm.lower()] for vm in vms])

    async def rollback(self, vms: Sequence[str], given: Mapping[str, Given], done: Rows, *, force: bool) -> Json:
        """The rows of VMs as if their tags named their ways back; `done` are rows that are known already."""
        reader = WayBackReader(self._gateways, self._settings, self._dispatcher.state, self._dispatcher.known)
        ways = await read_ways_back(reader, vms, given, force=force)
        wishes = {way.vm_id: reader.text_of(way) for way in ways if way.reason is None}
        swaps = await self._decide(wishes, force=force)
        rows = [swaps.get(way.vm_id.lower()) or self._of_way(way) for way in ways]
        return dry_run([*(self._of_disk(row, ()) for row in done), *rows])

    def _of_way(self, way: WayBack) -> Json:
        reason = way.reason or Skip(Reason.NO_PREVIOUS, "has no disk to go back to")
        decided = DecidedVm(way.vm_id, Facts(way.vm, Wish("")), reason, exact=True)
        return plan_record(decided, self._dispatcher, MadeDisks.among((), ()))

    async def month(self, request: MonthInput, period: str, named: Sequence[str]) -> Json:
        """The whole month: images, disks as they would be made from them, with rollout the swaps.

        `named` are the VMs that a person named: only the definitions that they use are built.
        """
        inventory = await list_inventory(self._gateways)
        known = self._dispatcher
        basis = MonthBasis(wiring.image_specs(), inventory, known.recall, known.declined_by, tuple(named))
        plan = await plan_month(self._gateways, self._settings, request, period, basis)
        swaps = self._records(plan.swaps.values(), inventory, writes_tags=True)
        rows = []
        for row in plan.disks:
            record = self._of_disk(row, plan.new_disks)
            swap = swaps.get(row["vm"].lower())
            rows.append(record if swap is None else swap_record(record, swap))
        return dry_run(rows, plan.images)

    async def adopt(self, vms: Sequence[str]) -> Json:
        """The rows of VMs as if their tags named the disks that they run."""
        inventory = await list_inventory(self._gateways)
        found = {vm: inventory.vms.get(vm.lower()) for vm in vms}
        rows = await self._decide(dict.fromkeys(vms), force=False)
        return dry_run([adoption_record(rows[vm.lower()], one) for vm, one in found.items()])

    async def _decide(self, wishes: Mapping[str, str | None], *, force: bool, asked: bool = False) -> dict[str, Json]:
        if not wishes:
            return {}
        inventory = await list_inventory(self._gateways)
        recall = self._recall_asked if asked else self._dispatcher.recall
        decided = await decide_as_if(self._gateways, self._settings, inventory, wishes, recall, force=force)
        return self._records(decided, inventory, writes_tags=any(wishes.values()))

    def _recall_asked(self, vm_id: str) -> Json:
        # What others have done to a VM does not refuse a swap that a person requests.
        return {**self._dispatcher.recall(vm_id), "fulfilled": None}

    def _records(self, decided: Iterable[DecidedVm], inventory: Inventory, *, writes_tags: bool) -> dict[str, Json]:
        made = MadeDisks.among(inventory.disks.values(), [one.lower() for one in self._settings.galleries])
        return {one.vm_id.lower(): self._record(one, inventory, made, writes_tags=writes_tags) for one in decided}

    def _record(self, decided: DecidedVm, inventory: Inventory, made: MadeDisks, *, writes_tags: bool) -> Json:
        try:
            disk = inventory.os_disk(decided.facts.vm)
            record = plan_record(decided, self._dispatcher, made, disk)
        except Exception as error:  # one VM must not fail the plan
            record = refusal_plan_record(decided.vm_id, refuse_unforeseen(decided.vm_id, error))
        if writes_tags and record["steps"]:
            record["steps"] = [WRITE_TAG, *record["steps"]]
        return record

    def _of_disk(self, row: Mapping[str, Any], made: Collection[str]) -> Json:
        disk_id = _disk_id(row) if row.get("next") else None
        return disk_record(row, disk_id if disk_id and disk_id.lower() in made else None, self._dispatcher)


def _disk_id(row: Mapping[str, Any]) -> str:
    home = resource_id.parse_vm(row["vm"])
    return home.sibling(DISK, str(row["next"])) if home is not None else ""
