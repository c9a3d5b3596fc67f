"""The scenario keys (`_…`) of a VM, for facts that no ARM body contains: power, agent, guest.

Decides how they are read from a body and written back. simulator/README.md lists them. Does not know the VM's model.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

from simulator.arm.core.services import Services
from simulator.arm.core.store import Json, Record
from simulator.arm.guests.guest_boot import is_healthy, name_guest
from simulator.arm.guests.guest_reboot import plan_reboot
from simulator.arm.state.contents import REBOOTS_AFTER, checked_seconds
from simulator.arm.state.local_disks import can_have_local_data
from simulator.arm.state.vm_state import SETTLED, Boot, Power, VmState, vm_state
from simulator.arm.vms.vm_extensions import VmExtensions

_AVAILABILITY = ("Available", "Unavailable", "Degraded", "Unknown")
_AVAILABILITY_HELP = f"one of {', '.join(_AVAILABILITY)}"


def take_scenario_keys(services: Services, record: Record, shown_power: str | None) -> None:
    """Move a VM's scenario keys from its body into its state; without `_power` the power is `shown_power`, or stays.

    ValueError for an invalid value.
    """
    body, state = record.body, vm_state(record)
    state.has_agent = bool(body.pop("_agent", state.has_agent))
    state.generalized = bool(body.pop("_generalized", state.generalized))
    state.health_extension = bool(body.pop("_health_extension", state.health_extension))
    state.slow_extension_s = float(body.pop("_slow_extension_s", state.slow_extension_s))
    state.listens = tuple(_checked(body, "_listens", list(state.listens), _are_ports, "a list of ports"))
    state.availability = _checked(
        body, "_availability", state.availability, lambda text: text in (None, *_AVAILABILITY), _AVAILABILITY_HELP
    )
    reboots_after_s, work_s = checked_seconds(body.pop(REBOOTS_AFTER, None)), body.pop("_extension_work_s", None)
    _take_power(services, record, state, body.pop("_power", None) or shown_power)
    fits = can_have_local_data(record)
    state.local_data = _checked(
        body,
        "_local_data",
        state.local_data if fits else None,
        lambda text: text is None or (isinstance(text, str) and fits),
        "a text, on a VM that has a host and whose size has a temporary or local NVMe disk",
    )
    if reboots_after_s is not None and state.power != "running":
        raise ValueError(f"{REBOOTS_AFTER} needs a running VM")
    plan_reboot(services, record, reboots_after_s)
    if work_s is not None:
        VmExtensions(services).work_by_itself(record, checked_seconds(work_s, "_extension_work_s") or 0.0)


def scenario_keys(record: Record) -> Json:
    """The scenario keys that reproduce this VM, as `take_scenario_keys` reads them; not those that begin something.

    A power state between two others, such as `starting`, is returned as it is; read again it means running.
    """
    state = vm_state(record)
    keys: Json = {"_power": "hibernated" if state.hibernated else state.power}
    unusual: dict[str, tuple[Any, Any]] = {
        "_agent": (state.has_agent, True),
        "_generalized": (state.generalized, False),
        "_health_extension": (state.health_extension, False),
        "_slow_extension_s": (state.slow_extension_s, 0.0),
        "_listens": (list(state.listens), []),
        "_availability": (state.availability, None),
        "_local_data": (state.local_data, None),
    }
    return keys | {key: value for key, (value, usual) in unusual.items() if value != usual}


def _take_power(services: Services, record: Record, state: VmState, power: str | None) -> None:
    now = services.now()
    if power is not None:
        if power not in (*get_args(Power), "hibernated"):
            raise ValueError(f"_power is one of {', '.join((*SETTLED, 'hibernated'))}, not {power!r}")
        state.hibernated = power == "hibernated"
        state.power = next((known for known in SETTLED if known == power), "running")
        if state.hibernated:
            state.power = "deallocated"
    if state.power == "running":
        if state.boot is None:
            name_guest(services, record)
            state.boot_up(Boot(now, now if state.has_agent else None, up_at=now, healthy=is_healthy(services, record)))
    else:
        state.shut_down(now, keep_report=state.power == "stopped")
        if state.power == "stopped" and state.has_agent:
            state.earlier_report = state.earlier_report or now


def _checked(body: Json, key: str, usual: Any, is_good: Callable[[Any], bool], wanted: str) -> Any:
    value = body.pop(key, usual)
    if not is_good(value):
        raise ValueError(f"{key} is {wanted}, not {value!r}")
    return value


def _are_ports(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(port, int) and 0 < port < 65536 for port in value)
