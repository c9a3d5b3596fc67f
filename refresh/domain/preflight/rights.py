"""Whether Azure would let the app do everything that a swap and its way back need.

Decides which actions are needed on which resource and what a set of role permissions grants. A right that is missing
is found before the VM is stopped, above all the right to start it again. Refuses to know how permissions are read.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from refresh.domain.azure.vms import Vm
from refresh.domain.health.ladder import RungName
from refresh.domain.preflight.check import Check, Evidence, Promise
from refresh.domain.terms import resource_id
from refresh.domain.terms.swap_reason import Reason

_OF_VM = (
    "Microsoft.Compute/virtualMachines/read",
    "Microsoft.Compute/virtualMachines/write",
    "Microsoft.Compute/virtualMachines/start/action",
    "Microsoft.Resources/tags/write",
)
_STOP = {
    "deallocate": "Microsoft.Compute/virtualMachines/deallocate/action",
    "power-off": "Microsoft.Compute/virtualMachines/powerOff/action",
}
# A VM update is refused without rights on the disk that it names, the new one as well as, on the way back, the old one.
_OF_DISK = ("Microsoft.Compute/disks/read", "Microsoft.Compute/disks/write")
_OF_SET = ("Microsoft.Compute/diskEncryptionSets/read",)

# Reads of the health check beside the VM itself; without one a rung says nothing, which is no reason to refuse.
_OF_RUNGS = {
    RungName.BOOT_LOG: "Microsoft.Compute/virtualMachines/retrieveBootDiagnosticsData/action",
    RungName.RESOURCE_HEALTH: "Microsoft.ResourceHealth/availabilityStatuses/read",
    RungName.PROBE: "Microsoft.Network/networkInterfaces/read",
}
READ_ADDRESS = "Microsoft.Network/publicIPAddresses/read"
"""For the warning about a public address that changes on deallocation, beside the read of the network interface."""

RIGHTS_ON_VM = Promise(
    "app has its rights on the VM",
    Reason.RIGHTS_MISSING,
    Evidence.RECORDED,
    "https://learn.microsoft.com/azure/role-based-access-control/permissions/compute",
    "AuthorizationFailed",
)
RIGHTS_ON_DISKS = Promise(
    "app has its rights on both disks",
    Reason.RIGHTS_MISSING,
    Evidence.REPORTED,
    "https://github.com/kubernetes/kubernetes/issues/93020",
    "LinkedAuthorizationFailed",
)
RIGHTS_ON_SET = Promise(
    "app has its rights on the encryption set",
    Reason.RIGHTS_MISSING,
    Evidence.REPORTED,
    "https://github.com/kubernetes-sigs/azuredisk-csi-driver/pull/2610",
    "LinkedAuthorizationFailed",
)

PROMISES = (RIGHTS_ON_VM, RIGHTS_ON_DISKS, RIGHTS_ON_SET)


@dataclass(frozen=True)
class Grant:
    """What one role gives at a scope: `actions` without `not_actions`, both with `*` for anything.

    https://learn.microsoft.com/rest/api/authorization/permissions/list-for-resource
    """

    actions: tuple[str, ...]
    not_actions: tuple[str, ...] = ()

    def gives(self, action: str) -> bool:
        """Whether this role alone gives `action`. What one role leaves out another may give."""
        return _named(action, self.actions) and not _named(action, self.not_actions)


def missing(needed: Iterable[str], grants: Iterable[Grant]) -> tuple[str, ...]:
    """The actions that none of `grants` gives."""
    known = tuple(grants)
    return tuple(action for action in needed if not any(grant.gives(action) for grant in known))


def needed_on(scope: str, stop_mode: str) -> tuple[str, ...]:
    """The actions a swap needs on the resource with id `scope`; `stop_mode` is `deallocate` or `power-off`."""
    found = resource_id.parse(scope)
    kind = found.type if found is not None else ""
    if kind == resource_id.VM_TYPE:
        return (*_OF_VM, _STOP[stop_mode])
    return _OF_DISK if kind == resource_id.DISK_TYPE else _OF_SET


def needed_to_swap(stop_mode: str) -> tuple[str, ...]:
    """The actions any swap needs on the group of its VM and disks; `stop_mode` is `deallocate` or `power-off`."""
    return (*_OF_VM, _STOP[stop_mode], *_OF_DISK)


def needed_by_rungs(vm: Vm, counted: Collection[str], *, probed: bool) -> dict[RungName, tuple[str, str]]:
    """The action, and the id it is needed on, for each rung in `counted` that reads more than the VM itself.

    The probe's only where the VM is `probed`: its address stands on the network interface.
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
    """Whether nothing is missing; `gaps` are the missing actions by lower-case resource id.

    A resource that is not in `gaps` was not asked about, and unknown means no.
    """
    checks = [
        _check(RIGHTS_ON_VM, (vm_id,), gaps),
        _check(RIGHTS_ON_DISKS, disk_ids, gaps),
    ]
    return (*checks, _check(RIGHTS_ON_SET, (set_id,) if set_id else (), gaps))


def _check(promise: Promise, scopes: Iterable[str], gaps: Mapping[str, tuple[str, ...]]) -> Check:
    lacking = {scope: gaps.get(scope.lower(), ("every action",)) for scope in scopes}
    lacking = {scope: actions for scope, actions in lacking.items() if actions}
    said = "; ".join(f"{', '.join(actions)} on {scope}" for scope, actions in lacking.items())
    return promise.judged(not lacking, f"the app's identity lacks {said}: have its role assigned there")


def _named(action: str, patterns: Iterable[str]) -> bool:
    return any(_pattern(pattern).fullmatch(action) for pattern in patterns)


@lru_cache(maxsize=1024)
def _pattern(text: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, text.split("*"))), re.IGNORECASE)
