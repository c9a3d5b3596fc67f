"""A drawn fleet: a few VMs, every disk that a tag may name, and a record of the edits.

Decides how a small fleet may look. Leaves the actions on it to `fleet_scenario.py`, and the invariants to
`fleet_invariants.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from tests.support.worlds.builders import GROUP, disk_id
from tests.support.worlds.local_azure import disk_body, vm_body

NAMES = ("web01", "web02", "web03", "web04")
SET_ID = f"{GROUP}/providers/Microsoft.Compute/availabilitySets/set"
# What people write into OsDiskName: `<word>` stands for the VM's own disk `<vm>-<word>`; several VMs may name `shared`.
GOOD = ("new", "newer", "old", "shared")
WISHES = (*GOOD, "bad", "zoned", "gen1", "taken", "typo", "@previous", "")
HOPELESS = ("zoned", "gen1", "taken", "typo")


def vm_id(name: str) -> str:
    return f"{GROUP}/providers/Microsoft.Compute/virtualMachines/{name}"


@dataclass(frozen=True)
class Machine:
    """One VM of the fleet at the start of the scenario."""

    name: str
    power: str
    agent: bool
    mode: str
    in_set: bool


@dataclass
class EditRecord:
    """The actions of people on each VM that took effect, and the failures of Azure that the invariants allow for.

    `spoilt` counts stops that Azure accepted and then failed or did not do. `sent_twice`: a lost turn requested an
    activity again. `conflicts`: a fault made Azure answer 409 without a conflict.
    """

    wishes: dict[str, list[str]] = field(default_factory=dict)
    count: dict[str, int] = field(default_factory=dict)
    spoilt: dict[str, int] = field(default_factory=dict)
    held: set[str] = field(default_factory=set)
    stopped: set[str] = field(default_factory=set)
    deleted: set[str] = field(default_factory=set)
    sent_twice: bool = False
    conflicts: bool = False


def text_of(vm: str, what: str) -> str:
    """The tag's text for a wish."""
    return what if what in ("", "@previous", "shared") else f"{vm}-{what}"


def scenario(fleet: tuple[Machine, ...]) -> list[dict[str, Any]]:
    """The fleet's ARM bodies: every VM with every disk that a wish may name."""
    bodies: list[dict[str, Any]] = [_disk("shared", regional=fleet[0].in_set)]
    for machine in fleet:
        body = vm_body(machine.name, power=machine.power, agent=machine.agent, RefreshStopMode=machine.mode)
        if machine.in_set:
            del body["zones"]
            body["properties"]["availabilitySet"] = {"id": SET_ID}
        taken = {"lun": 0, "createOption": "Attach", "managedDisk": {"id": disk_id(f"{machine.name}-taken")}}
        keeper = vm_body(f"{machine.name}-keeper", AutoRefresh="false")
        keeper["properties"]["storageProfile"]["dataDisks"] = [taken]
        names = (f"{machine.name}-{word}" for word in ("new", "newer", "bad", "taken"))
        bodies += [*(_disk(name, regional=machine.in_set) for name in names), body, keeper]
        bodies += [{**_disk(f"{machine.name}-zoned"), "zones": ["2"]}]
        bodies += [_disk(f"{machine.name}-gen1", regional=machine.in_set, hyperVGeneration="V1")]
    return bodies


def _disk(name: str, *, regional: bool = False, **properties: Any) -> dict[str, Any]:
    body = disk_body(name, **properties)
    if regional:
        del body["zones"]
    return body


def fleets() -> st.SearchStrategy[tuple[Machine, ...]]:
    """One to four VMs, most of them running; all of them in one availability set, or none."""
    return st.tuples(st.integers(1, len(NAMES)), st.booleans()).flatmap(lambda drawn: _fleet(*drawn))


def _fleet(size: int, in_set: bool) -> st.SearchStrategy[tuple[Machine, ...]]:
    return st.tuples(
        *(
            st.builds(
                Machine,
                st.just(name),
                st.sampled_from((*["running"] * 6, "deallocated", "stopped")),
                st.sampled_from((True, True, False)),
                st.sampled_from(("deallocate", "deallocate", "power-off")),
                st.just(in_set),
            )
            for name in NAMES[:size]
        )
    )
