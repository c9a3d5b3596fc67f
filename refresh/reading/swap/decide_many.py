"""Decides about VMs without changing anything: for lists, for one VM, for dry runs.

Decides which source the facts come from: single reads for a few VMs, lists for many. The decision itself is the same as
for a real swap (`decide_swap`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from refresh.domain.swap.decided_vm import DecidedVm
from refresh.domain.swap.decision import decide_swap
from refresh.domain.vm.reservation import Hold
from refresh.gateways.gateways import Gateways
from refresh.reading.calls.paced_reads import Pace, pace_of_decisions
from refresh.reading.fleet.subscription_lists import Inventory
from refresh.reading.swap.facts import FactReader, FactSource, policy_of
from refresh.reading.swap.listed_facts import ListedDisks, ListedVms, RetaggedVms, Source
from refresh.reading.swap.memory import READS_AT_ONCE, memory_of
from refresh.reading.swap.preflight_facts import HoldOf
from refresh.reading.swap.unforeseen import undecided
from refresh.reading.swap.warnings import WarningReader
from refresh.records.swap import VMS_PER_BULK_ACTIVITY
from refresh.settings.settings import Settings

# Up to this many VMs are read one by one, with their power state.
READ_SINGLY = VMS_PER_BULK_ACTIVITY


# The dispatcher state's part about a VM, by its id: what `memory_of` takes, and its `Hold` under `hold`.
type Recall = Callable[[str], dict[str, Any]]


def listed_source(gateways: Gateways, inventory: Inventory) -> Source:
    """Facts from lists; image versions and definitions are read, each once. Rights and locks are not read."""
    return Source(ListedVms(inventory), ListedDisks(inventory, gateways.disks), gateways.gallery, None)


def with_wishes(source: FactSource, wishes: Mapping[str, str]) -> Source:
    """The same facts, as if the tags named these disks (by lower-case VM id)."""
    return Source(RetaggedVms(source.compute, wishes), source.disks, source.gallery, source.access)


def holds_of(recall: Recall) -> HoldOf:
    """What `recall` has about the VM that a disk may be kept for."""

    async def read(vm_id: str) -> Hold:
        found: Hold = recall(vm_id).get("hold", Hold())
        return found

    return read


async def decide_exactly(
    source: FactSource,
    settings: Settings,
    vms: Sequence[str],
    recall: Recall,
    *,
    force: bool = False,
    warning: Gateways | None = None,
) -> list[DecidedVm]:
    """Read each VM with its power state, eight at once, and decide; everything that a check needs is read.

    With `warning` also what the warnings need is read, through those gateways.
    """
    policy, at_once = policy_of(settings), asyncio.Semaphore(READS_AT_ONCE)
    reader = FactReader(source, policy, pace_of_decisions(), thorough=True, hold_of=holds_of(recall))
    warner = WarningReader(warning.access, warning.guests, settings, reader.reads) if warning else None

    async def decide(vm_id: str) -> DecidedVm:
        async with at_once:
            facts = await reader.read(vm_id, **memory_of(recall(vm_id)))
            if warner is not None and facts.vm is not None:
                found = await warner.read_warnings(facts.vm, facts.current, facts.wanted)
                facts = replace(facts, warnings=found.warnings, stop=found.stop)
        return DecidedVm(vm_id, facts, decide_swap(facts, policy, force=force), exact=True)

    async def decide_alone(vm_id: str) -> DecidedVm:
        try:
            return await decide(vm_id)
        except Exception as error:  # one VM must not fail the answer about the others
            return undecided(vm_id, error, exact=True)

    return list(await asyncio.gather(*(decide_alone(vm_id) for vm_id in vms)))


async def decide_from_lists(
    source: FactSource,
    settings: Settings,
    vms: Sequence[str],
    recall: Recall,
    *,
    force: bool = False,
    warning: Gateways | None = None,
) -> list[DecidedVm]:
    """Decide about every one of `vms` from a source of listed facts; their power state is not known.

    With `warning` the lists of sizes that the warnings need are read, through those gateways.
    """
    policy = policy_of(settings)
    reader = FactReader(source, policy, Pace(gap_s=0.0))
    warner = WarningReader(warning.access, warning.guests, settings, reader.reads) if warning else None
    found = []
    for vm_id in vms:
        try:
            facts = await reader.read(vm_id, **memory_of(recall(vm_id)))
            if warner is not None and facts.vm is not None:
                seen = await warner.read_listed(facts.vm, facts.current, facts.wanted)
                facts = replace(facts, warnings=seen.warnings, stop=seen.stop)
            found.append(DecidedVm(vm_id, facts, decide_swap(facts, policy, force=force)))
        except Exception as error:  # one VM must not fail the answer about the others
            found.append(undecided(vm_id, error))
    return found


async def decide_as_if(
    gateways: Gateways,
    settings: Settings,
    inventory: Inventory,
    wishes: Mapping[str, str | None],
    recall: Recall,
    *,
    force: bool = False,
) -> list[DecidedVm]:
    """Decide about the VMs in `wishes` as if their tags named these disks (None: the disk the tag names)."""
    replaced = {vm.lower(): wish for vm, wish in wishes.items() if wish is not None}
    vms = list(wishes)
    if len(vms) <= READ_SINGLY:
        return await decide_exactly(
            with_wishes(gateways, replaced), settings, vms, recall, force=force, warning=gateways
        )
    source = with_wishes(listed_source(gateways, inventory), replaced)
    return await decide_from_lists(source, settings, vms, recall, force=force, warning=gateways)
