"""Microsoft.ResourceHealth/availabilityStatuses: a VM's health as the platform sees it.

Decides that Resource Health follows the power state with a delay and ignores the guest: a VM whose guest does not boot
is available. The delay is not documented; one minute is an assumption. The scenario key `_availability` of the VM
overrides the status. A guest that reboots itself stays available, with the text of the annotation
VirtualMachineRestarted.
https://learn.microsoft.com/rest/api/resourcehealth/availability-statuses/get-by-resource
https://learn.microsoft.com/azure/service-health/resource-health-vm-annotation
"""

from __future__ import annotations

from datetime import datetime, timedelta

from simulator.arm.core import errors
from simulator.arm.core.ids import parse_id
from simulator.arm.core.messages import Answer, Request, stamp
from simulator.arm.core.services import Services
from simulator.arm.core.store import Json
from simulator.arm.state.vm_state import SETTLED, Boot, Power, VmState, vm_state

STATUS_TYPE = "microsoft.resourcehealth/availabilitystatuses"
_SHOWN_TYPE = "Microsoft.ResourceHealth/AvailabilityStatuses"
_BELOW = f"/providers/{STATUS_TYPE}"
_LATE_S = 60.0
_RESTARTED = (
    "The Virtual Machine is undergoing a reboot as requested by a restart action triggered by an authorized user or "
    "process from within the Virtual Machine. No other action is required at this time."
)
_STOPPED: dict[str, tuple[str, str]] = {
    "stopped": ("Stopped by user or process", "The virtual machine was stopped by an authorized user or process."),
    "deallocated": (
        "Stopped and deallocated by user or process",
        "The virtual machine was stopped and deallocated by an authorized user or process.",
    ),
}


class ResourceHealth:
    """The status of VMs; `Unknown` for every other resource."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def current(self, request: Request) -> Answer:
        """GET …/availabilityStatuses/current."""
        if request.method not in ("GET", "HEAD"):
            raise errors.method_not_allowed(request.method, request.id.text)
        if request.id.name.lower() != "current":
            raise errors.resource_not_found(request.id.path_name, request.id.group)
        return Answer(200, self._status(request.id.text[: request.id.key.rindex(_BELOW)]), counted=False)

    def listing(self, request: Request) -> Answer:
        """GET …/availabilityStatuses: only the current status; there is no history."""
        return Answer(200, {"value": [self._status(request.id.text)]}, counted=False)

    def _status(self, scope: str) -> Json:
        resource_id = parse_id(scope)
        missing = errors.resource_not_found(resource_id.path_name, resource_id.group)
        record = self._services.require(resource_id, missing)
        known = isinstance(record.state, VmState)
        now = self._services.now()
        properties = (
            _properties(vm_state(record), now) if known else _status_properties("Unknown", "Unknown", "", now, now)
        )
        return {
            "id": f"{record.id.text}/providers/{_SHOWN_TYPE}/current",
            "name": "current",
            "type": _SHOWN_TYPE,
            "location": record.location,
            "properties": properties,
        }


def _properties(state: VmState, now: datetime) -> Json:
    if state.availability is not None:
        return _status_properties(state.availability, state.availability, "Set by the scenario.", now, now, "Unplanned")
    power, since = _power_at(state, now - timedelta(seconds=_LATE_S), now)
    if power in _STOPPED:
        title, summary = _STOPPED[power]
        return _status_properties("Unavailable", title, summary, since, now, "Customer Initiated")
    if (boot := state.boot) is not None and _reboots_itself(boot, now - timedelta(seconds=_LATE_S)):
        return _status_properties("Available", "Available", _RESTARTED, boot.at, now, "Customer Initiated")
    summary = "There aren't any known Azure platform problems affecting this virtual machine."
    return _status_properties("Available", "Available", summary, since, now)


def _reboots_itself(boot: Boot, now: datetime) -> bool:
    return boot.by_guest and boot.at <= now and (boot.up_at is None or now < boot.up_at)


def _power_at(state: VmState, then: datetime, now: datetime) -> tuple[Power, datetime]:
    """The newest settled power state before `then`, and since when."""
    settled = [(at, power) for at, power in state.power_changes if power in SETTLED]
    earlier = [(power, at) for at, power in settled if at <= then]
    if earlier:
        return earlier[-1]
    if not state.power_changes:
        return state.power, now
    # Before its first recorded change the VM was running, unless that change began to start it.
    changed_at, power = state.power_changes[0]
    return ("deallocated" if power in ("starting", "running") else "running"), changed_at


def _status_properties(state: str, title: str, summary: str, since: datetime, now: datetime, reason: str = "") -> Json:
    # "occuredTime" is how Azure spells it.
    return {
        "availabilityState": state,
        "title": title,
        "summary": summary,
        "reasonType": reason,
        "reasonChronicity": "Persistent",
        "occuredTime": stamp(since),
        "reportedTime": stamp(now),
    }
