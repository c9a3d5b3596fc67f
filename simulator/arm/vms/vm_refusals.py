"""Changes of a VM's model that Azure refuses, except those of the OS disk (`vm_swap.py`).

Decides which properties are fixed and which can change only on a VM without a host, with recorded messages. Does not
know requests.
"""

from __future__ import annotations

from simulator.arm.core import errors
from simulator.arm.core.store import Json, Record
from simulator.arm.state.vm_state import vm_state

_SPOT_HELP = "For more information, see http://aka.ms/AzureSpot/errormessages"


def check_placement(vm: Record, wanted: Json) -> None:
    """Refuse a new priority, and a new placement group while the VM has a host; `wanted`: the sent `properties`."""
    _check_priority(vm, wanted)
    if vm_state(vm).power != "deallocated":
        _check_placement_group(vm, wanted)


def _check_priority(vm: Record, wanted: Json) -> None:
    if wanted.get("priority") not in (None, vm.properties.get("priority", "Regular")):
        raise errors.change_not_allowed("priority")


def _check_placement_group(vm: Record, wanted: Json) -> None:
    group = wanted.get("proximityPlacementGroup")
    current = vm.properties.get("proximityPlacementGroup") or {}
    if group and str(group.get("id", "")).lower() != str(current.get("id", "")).lower():
        raise errors.not_allowed(
            f"Updating proximity placement group of VM {vm.id.name} is not allowed while the VM is running. "
            "Please stop/deallocate the VM and retry the operation."
        )


def check_max_price(vm: Record, wanted: Json) -> None:
    """Refuse a new maximum price while the VM has a host; `wanted`: the sent `properties`."""
    price = (wanted.get("billingProfile") or {}).get("maxPrice")
    if (
        price is None
        or vm_state(vm).power == "deallocated"
        or price == (vm.properties.get("billingProfile") or {}).get("maxPrice")
    ):
        return
    refusal = errors.not_allowed(f"Max price change is not allowed. {_SPOT_HELP}")
    refusal.details = [
        {
            "code": "OperationNotAllowed",
            "message": f"Max price change is not allowed when the VM '{vm.id.name}' is currently allocated. "
            f"Please deallocate and try again. {_SPOT_HELP}",
            "target": vm.id.name,
        }
    ]
    raise refusal
