"""A drawn fleet: a few VMs, every disk somebody may wish for, and what became of them so far.

Decides what a small fleet may look like. Refuses to know what happens to it (`fleet_story`) and what is promised to it
(`fleet_promises`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from tests.support.worlds.builders import GROUP, disk_id
from tests.support.worlds.local_azure import disk_body, vm_body

NAMES = ("web01", "web02", "web03", "web04")
SET_ID = f"{GROUP}/providers/Microsoft.Compute/availabilitySets/set"
# What people write into OsDiskName; their own disks are `<vm>-<word>`, `shared` is wanted by several.
GOOD = ("new", "newer", "old", "shared")
WISHES = (*GOOD, "bad", "zoned", "gen1", "taken", "typo", "@previous", "")
HOPELESS = ("zoned", "gen1", "taken", "typo")


def vm_id(name: str) -> str:
    return f"{GROUP}/providers/Microsoft.Compute/virtualMachines/{name}"


@dataclass(frozen=True)
class Machine:
    """One VM of the fleet as the story finds it."""

    name: str
    power: str
    agent: bool
    mode: str
    in_set: bool


@dataclass
class Diary:
    """What people really did to each VM, and what Azure did to its stops.

    `spoilt` counts stops that Azure accepted and then failed or only pretended; `asked_twice` says that a lost turn
    asked for an activity once more, `conflicts` that Azure was made to answer 409 for nothing.
    """

    wishes: dict[str, list[str]] = field(default_factory=dict)
    edits: dict[str, int] = field(default_factory=dict)
    spoilt: dict[str, int] = field(default_factory=dict)
    held: set[str] = field(default_factory=set)
    stopped: set[str] = field(default_factory=set)
    deleted: set[str] = field(default_factory=set)
    asked_twice: bool = False
    conflicts: bool = False


def text_of(vm: str, what: str) -> str:
    """What a wish is in the tag."""
    return what if what in ("", "@previous", "shared") else f"{vm}-{what}"


def scenario(fleet: tuple[Machine, ...]) -> list[dict[str, Any]]:
    """The fleet's ARM bodies: every VM with every disk a wish may name."""
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
