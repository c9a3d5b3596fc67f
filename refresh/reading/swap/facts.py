"""Reads the facts for one decision: the VM, its disk, the wanted disk, and where the wanted disk comes from.

Decides which reads are needed: a decision that needs no disk costs one GET. Leaves the decision to
`domain/swap/decision.py`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Protocol

from refresh.domain.azure.disks import Disk
from refresh.domain.azure.galleries import Definition, Version
from refresh.domain.azure.polls import READ_BUDGET_S
from refresh.domain.azure.refusals import read_denial
from refresh.domain.azure.vms import Vm
from refresh.domain.preflight.check import first_failed
from refresh.domain.preflight.provenance import Policy
from refresh.domain.preflight.tags_readable import check_tags
from refresh.domain.swap.decision import decide_settled
from refresh.domain.terms import resource_id
from refresh.domain.terms.swap_reason import Reason
from refresh.domain.vm.facts import Facts, Fulfilled
from refresh.domain.vm.reservation import Hold
from refresh.domain.vm.wish import Wish, choose_wish
from refresh.gateways.errors import GatewayError
from refresh.reading.calls.paced_reads import Pace, Reads
from refresh.reading.fleet.configured_subscriptions import ConfiguredSubscriptions
from refresh.reading.swap.preflight_facts import AccessSource, FleetSource, HoldOf, PreflightReader
from refresh.settings.settings import Settings


def policy_of(settings: Settings) -> Policy:
    """What the settings allow, in the form that the domain compares."""
    return Policy(
        trust=settings.disk_trust,
        stop_mode=settings.stop_mode,
        galleries=tuple(gallery.lower() for gallery in settings.galleries),
        disk_groups=tuple(group.lower() for group in settings.disk_groups),
        previous_reserved_days=settings.previous_reserved_days,
    )


class VmSource(FleetSource, Protocol):
    """Where VMs' facts come from."""

    async def read_vm(self, vm_id: str) -> Vm:
        """The VM. GatewayError when there is none or it cannot be read."""
        ...


class DiskSource(Protocol):
    """Where a disk's facts come from."""

    async def read_disk(self, disk_id: str) -> Disk:
        """The disk. GatewayError when there is none or it cannot be read."""
        ...


class ImageSource(Protocol):
    """Where the facts of an image version and its definition come from."""

    async def read_version(self, version_id: str) -> Version:
        """The version. GatewayError when there is none or it cannot be read."""
        ...

    async def read_definition(self, definition_id: str) -> Definition:
        """The definition. GatewayError when there is none or it cannot be read."""
        ...


class FactSource(Protocol):
    """Where facts are read from: `Gateways` itself, or lists that were read before."""

    @property
    def compute(self) -> VmSource:
        """Virtual machines."""
        ...

    @property
    def disks(self) -> DiskSource:
        """Managed disks."""
        ...

    @property
    def gallery(self) -> ImageSource:
        """Image versions and definitions."""
        ...

    @property
    def access(self) -> AccessSource | None:
        """The app's rights, and locks; None where they are not read."""
        ...


async def no_record(_vm_id: str) -> Hold:
    """Nothing is recorded of a VM."""
    return Hold()


@dataclass
class FactReader:
    """Reads facts of many VMs; what they share is read once: images, the app's rights, locks, other VMs' wishes.

    A VM costs one GET, and three where its tag names another disk. All VMs of a batch together cost two GETs for each
    image version, about two for each resource group, and one for each page of the group's list of VMs.
    `inside`: a VM of any other subscription is refused unread; None where the ids have been checked before.
    `others`: that list is read. `thorough`: the disks of a VM that is refused for its tags alone are read too, so that
    a person sees every failed check. `budget_s` is how long one read is retried. `hold_of` is what is
    recorded of another VM whose previous disk is wished for.
    """

    gateways: FactSource
    policy: Policy
    pace: Pace
    inside: ConfiguredSubscriptions | None = None
    others: bool = True
    thorough: bool = False
    budget_s: float = READ_BUDGET_S
    hold_of: HoldOf = no_record

    def __post_init__(self) -> None:
        """Start with nothing read."""
        self.reads = Reads(self.pace, self.budget_s)
        self._preflight: PreflightReader | None = None
        if self.gateways.access is not None:
            fleet = self.gateways.compute if self.others else None
            self._preflight = PreflightReader(self.gateways.access, fleet, self.policy, self.reads, self.hold_of)

    async def read(
        self,
        vm_id: str,
        *,
        ran: Iterable[str] = (),
        rejected: Iterable[str] = (),
        over: Iterable[str] = (),
        fulfilled: Fulfilled | None = None,
    ) -> Facts:
        """The facts about one VM; `unreadable` names what could not be read, and nothing is guessed.

        From the dispatcher state: `ran` are hashes of disks the VM has run, `rejected` ids found unhealthy on it,
        `over` runs that have ended, `fulfilled` the last tag that was fulfilled.
        """
        try:
            outside = None if self.inside is None else await self.inside.why_outside(vm_id)
        except GatewayError as error:
            return _unread(Facts(None, Wish("")), "the subscriptions of the management group", error)
        if outside is not None:
            return Facts(None, Wish(""), unreadable=outside, unreadable_reason=Reason.OUTSIDE_SUBSCRIPTIONS)
        try:
            vm = await self.reads.read(lambda: self.gateways.compute.read_vm(vm_id))
        except GatewayError as error:
            return _unread(Facts(None, Wish("")), "the VM", error)
        if vm is None:
            return Facts(None, Wish(""))
        ran = frozenset(ran)
        wish = choose_wish(vm, self.policy.disk_groups, ran)
        known_to_run = frozenset({*ran, *self._ran_by_tag(vm)})
        facts = Facts(
            vm, wish, ran=known_to_run, rejected=frozenset(rejected), over=frozenset(over), fulfilled=fulfilled
        )
        settled = decide_settled(vm, facts) if wish.disk_id is not None else None
        if settled is not None and settled.reason is Reason.CHANGED_BY_OTHERS:
            return replace(facts, current=await self._current(vm))
        if wish.disk_id is None or settled is not None:
            return facts
        if not self.thorough and first_failed(check_tags(vm.own_tags, wish)) is not None:
            return facts
        try:
            facts = await self._with_disks(facts, vm, wish.disk_id)
            if facts.wanted is None or self._preflight is None:
                return facts
            ran_before = resource_id.id_hash(facts.wanted.id) in ran
            preflight = await self._preflight.read(vm, facts.current, facts.wanted, ran_before=ran_before)
            return replace(facts, preflight=preflight)
        except GatewayError as error:
            return _unread(facts, "what the swap depends on", error)

    async def _current(self, vm: Vm) -> Disk | None:
        """The disk that the VM runs; None also when it cannot be read: it is only described."""
        try:
            disk_id = vm.os_disk_id
            return await self.reads.read(lambda: self.gateways.disks.read_disk(disk_id)) if disk_id else None
        except GatewayError:
            return None

    def _ran_by_tag(self, vm: Vm) -> list[str]:
        # Every principal that may tag the VM can write this tag, so it only counts where any free disk of the group is
        # trusted; with trust `gallery` only the dispatcher state counts.
        home = resource_id.parse_vm(vm.id)
        previous = vm.own_tags.previous
        if home is None or not previous or self.policy.trust == "gallery":
            return []
        disk = previous if "/" in previous else home.sibling("Microsoft.Compute/disks", previous)
        return [resource_id.id_hash(disk)]

    async def _with_disks(self, facts: Facts, vm: Vm, disk_id: str) -> Facts:
        wanted: Disk | None = await self.reads.read(lambda: self.gateways.disks.read_disk(disk_id))
        current: Disk | None = None
        if vm.os_disk_id is not None:
            os_disk_id = vm.os_disk_id
            current = await self.reads.read(lambda: self.gateways.disks.read_disk(os_disk_id))
        if wanted is None:
            return replace(facts, current=current)
        if wanted.source_version is None:
            return replace(facts, current=current, wanted=wanted)
        try:
            version, definition = await self._image(wanted.source_version)
        except GatewayError:
            if resource_id.id_hash(disk_id) not in facts.ran:
                raise
            version = definition = None  # the way back to a disk that the VM ran needs nothing of its image
        return replace(facts, current=current, wanted=wanted, version=version, definition=definition)

    async def _image(self, version_id: str) -> tuple[Version | None, Definition | None]:
        found = resource_id.parse(version_id)
        if found is None or found.type != resource_id.VERSION_TYPE:
            return None, None
        definition_id = found.parent()
        version: Version | None = await self.reads.once(
            version_id, lambda: self.gateways.gallery.read_version(version_id)
        )
        definition: Definition | None = await self.reads.once(
            definition_id, lambda: self.gateways.gallery.read_definition(definition_id)
        )
        return version, definition


def _unread(facts: Facts, what: str, error: GatewayError) -> Facts:
    denial = read_denial(error.code, error.message)
    why = denial.message if denial else error
    reason = denial.reason if denial else Reason.UNREADABLE
    return replace(facts, unreadable=f"{what} could not be read: {why}", unreadable_reason=reason)
