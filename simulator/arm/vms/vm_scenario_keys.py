"""What a scenario author says of a VM that no ARM body could: power, agent, guest.

This room decides the VM's private keys (`_…`): how they are taken out of a body and how they are told again. The keys
are told in simulator/README.md. It refuses to know the VM's model.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

from simulator.arm.core.services import Services
from simulator.arm.core.store import Json, Record
from simulator.arm.guests.guest_boot import is_healthy, name_guest
from simulator.arm.state.vm_state import SETTLED, Boot, Power, VmState, vm_state

_AVAILABILITY = ("Available", "Unavailable", "Degraded", "Unknown")


def take_scenario_keys(services: Services, record: Record, shown_power: str | None) -> None:
    """Take a VM's private keys out of its body; without `_power` its power is `shown_power`, or stays.

    ValueError for a value nobody understands.
    """
    body, state = record.body, vm_state(record)
    state.has_agent = bool(body.pop("_agent", state.has_agent))
    state.generalized = bool(body.pop("_generalized", state.generalized))
    state.health_extension = bool(body.pop("_health_extension", state.health_extension))
    state.slow_extension_s = float(body.pop("_slow_extension_s", state.slow_extension_s))
    state.listens = tuple(_checked(body, "_listens", list(state.listens), _are_ports, "a list of ports"))
    state.availability = _checked(
        body, "_availability", state.availability, lambda text: text in (None, *_AVAILABILITY), "a state Azure knows"
    )
    _take_power(services, record, state, body.pop("_power", None) or shown_power)


def scenario_keys(record: Record) -> Json:
    """What a scenario would have to say to get this VM back: the keys `take_private` reads.

    A VM on its way between two power states says so; taken as a scenario it is running.
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
