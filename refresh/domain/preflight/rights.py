"""Whether the app has every right that a swap and its rollback need.

Decides which actions are needed on which resource and what a set of role permissions grants. A missing right is found
before the VM is stopped, above all the right to start it again. Does not know how permissions are read.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from refresh.domain.azure.vms import Vm
from refresh.domain.health.ladder import RungName
from refresh.domain.preflight.check import Check, Condition, Evidence
from refresh.domain.terms import resource_id
from refresh.domain.terms.swap_reason import Reason

_OF_VM = (
    "Microsoft.Compute/virtualMachines/read",
    "Microsoft.Compute/virtualMachines/write",
    "Microsoft.Compute/virtualMachines/start/action",
    "Microsoft.Resources/tags/write",
)
_DEALLOCATE = "Microsoft.Compute/virtualMachines/deallocate/action"
_POWER_OFF = "Microsoft.Compute/virtualMachines/powerOff/action"
_STOP = {"deallocate": (_DEALLOCATE,), "power-off": (_POWER_OFF,), "auto": (_DEALLOCATE, _POWER_OFF)}
# Azure refuses a VM update without rights on the disk that it names: the new one, and the old one in a rollback.
_OF_DISK = ("Microsoft.Compute/disks/read", "Microsoft.Compute/disks/write")
_OF_SET = ("Microsoft.Compute/diskEncryptionSets/read",)

# Reads of the health check beside the VM itself. A missing one switches off its rung and refuses no swap.
_OF_RUNGS = {
    RungName.BOOT_LOG: "Microsoft.Compute/virtualMachines/retrieveBootDiagnosticsData/action",
    RungName.RESOURCE_HEALTH: "Microsoft.ResourceHealth/availabilityStatuses/read",
    RungName.PROBE: "Microsoft.Network/networkInterfaces/read",
}
READ_ADDRESS = "Microsoft.Network/publicIPAddresses/read"
"""Needed, beside the read of the network interface, to warn of a public address that changes on deallocation."""

RIGHTS_ON_VM = Condition(
    "app has the rights it needs on the VM",
    Reason.RIGHTS_MISSING,
    Evidence.RECORDED,
    "https://learn.microsoft.com/azure/role-based-access-control/permissions/compute",
    "AuthorizationFailed",
)
RIGHTS_ON_DISKS = Condition(
    "app has the rights it needs on both disks",
    Reason.RIGHTS_MISSING,
    Evidence.REPORTED,
    "https://github.com/kubernetes/kubernetes/issues/93020",
    "LinkedAuthorizationFailed",
)
RIGHTS_ON_SET = Condition(
    "app has the rights it needs on the encryption set",
    Reason.RIGHTS_MISSING,
    Evidence.REPORTED,
    "https://github.com/kubernetes-sigs/azuredisk-csi-driver/pull/2610",
    "LinkedAuthorizationFailed",
)

CONDITIONS = (RIGHTS_ON_VM, RIGHTS_ON_DISKS, RIGHTS_ON_SET)


@dataclass(frozen=True)
class Grant:
    """The permissions of one role at a scope: `actions` without `not_actions`; `*` stands for any text.

    https://learn.microsoft.com/rest/api/authorization/permissions/list-for-resource
    """

    actions: tuple[str, ...]
    not_actions: tuple[str, ...] = ()

    def gives(self, action: str) -> bool:
        """Whether this role alone gives `action`. Another role may give what this one excludes."""
        return _named(action, self.actions) and not _named(action, self.not_actions)


def missing(needed: Iterable[str], grants: Iterable[Grant]) -> tuple[str, ...]:
    """The actions of `needed` that none of `grants` gives."""
    known = tuple(grants)
    return tuple(action for action in needed if not any(grant.gives(action) for grant in known))


def needed_on(scope: str, stop_mode: str) -> tuple[str, ...]:
    """The actions a swap needs on the resource with id `scope`; `stop_mode` is a `StopWish`."""
    found = resource_id.parse(scope)
    kind = found.type if found is not None else ""
    if kind == resource_id.VM_TYPE:
        return (*_OF_VM, *_STOP[stop_mode])
    return _OF_DISK if kind == resource_id.DISK_TYPE else _OF_SET


def needed_to_swap(stop_mode: str) -> tuple[str, ...]:
    """The actions that every swap needs on the group of its VM and disks; `stop_mode` as in `needed_on`."""
    return (*_OF_VM, *_STOP[stop_mode], *_OF_DISK)


def needed_by_rungs(vm: Vm, counted: Collection[str], *, probed: bool) -> dict[RungName, tuple[str, str]]:
    """The action, and the id that it is needed on, for each rung in `counted` that reads more than the VM itself.

    The probe needs one only where the VM is `probed`: the address is read from the network interface.
    """
    scopes = {RungName.PROBE: vm.guest.nic_id if probed else None}
    return {
        rung: (action, scope)
        for rung, action in _OF_RUNGS.items()
        if rung in counted and (scope := scopes.get(rung, vm.id)) is not None
    }


def check_rights(
    vm_id: str, disk_ids: Iterable[str], set_id: str | None, gaps: Mapping[str, tuple[str, ...]]
) -> tuple[Check, ...]:
    """Whether no right is missing; `gaps` are the missing actions by lower-case resource id.

    A resource that is not in `gaps` was not read, and counts as having no rights.
    """
    checks = [
        _check(RIGHTS_ON_VM, (vm_id,), gaps),
        _check(RIGHTS_ON_DISKS, disk_ids, gaps),
    ]
    return (*checks, _check(RIGHTS_ON_SET, (set_id,) if set_id else (), gaps))


def _check(condition: Condition, scopes: Iterable[str], gaps: Mapping[str, tuple[str, ...]]) -> Check:
    lacking = {scope: gaps.get(scope.lower(), ("every action",)) for scope in scopes}
    lacking = {scope: actions for scope, actions in lacking.items() if actions}
    named = "; ".join(f"{', '.join(actions)} on {scope}" for scope, actions in lacking.items())
    return condition.judged(not lacking, f"the app's identity lacks {named}: have its role assigned there")


def _named(action: str, patterns: Iterable[str]) -> bool:
    return any(_pattern(pattern).fullmatch(action) for pattern in patterns)


@lru_cache(maxsize=1024)
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, text.split("*"))), re.IGNORECASE)
