"""A drawn calamity: a small fleet, what people do to it, and what goes wrong meanwhile.

Decides what may be drawn and carries it out on a local Azure. Refuses to judge what became of it: that is the test's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, override

from hypothesis import strategies as st

from simulator.durable.worker import Interruptions, WorkerDied
from simulator.eventgrid import Chaos
from tests.support.builders import GROUP, disk_id
from tests.support.local_azure import LocalAzure, disk_body, vm_body

NAMES = ("web01", "web02", "web03", "web04")
SET_ID = f"{GROUP}/providers/Microsoft.Compute/availabilitySets/set"
BAD = {"disk": "*-bad", "boots": False}
# What people write into OsDiskName; `own` disks are `<vm>-<word>`.
WISHES = ("new", "newer", "bad", "old", "zoned", "gen1", "taken", "typo", "shared", "@previous", "")
GOOD = ("new", "newer", "old", "shared")


def vm_id(name: str) -> str:
    return f"{GROUP}/providers/Microsoft.Compute/virtualMachines/{name}"


@dataclass(frozen=True)
class Machine:
    """One VM of the fleet."""

    name: str
    power: str
    agent: bool
    mode: str
    in_set: bool


@dataclass(frozen=True)
class Act:
    """`wait_s` after the act before it, somebody does `what` to a VM: a wish, `hold`, `unhold`, `stop` or `kill`.

    `stop` is the owner's own stop, `kill` ends every orchestration that works on any VM without a word.
    """

    wait_s: int
    vm: str
    what: str


@dataclass(frozen=True)
class Calamity:
    """Everything that happens in one story."""

    fleet: tuple[Machine, ...]
    acts: tuple[Act, ...]
    faults: tuple[Mapping[str, Any], ...]
    deaths: frozenset[int]
    chaos: Chaos


@dataclass
class Diary:
    """What people really did to each VM; `asked_twice` when a lost turn asked for an activity once more."""

    wishes: dict[str, list[str]] = field(default_factory=dict)
    edits: dict[str, int] = field(default_factory=dict)
    held: set[str] = field(default_factory=set)
    stopped: set[str] = field(default_factory=set)
    asked_twice: bool = False


class Deaths(Interruptions):
    """The worker dies at these ordinals of everything it does: before or after it, with what it sent or without."""

    def __init__(self, ordinals: frozenset[int]) -> None:
        self._ordinals = ordinals
        self._done = 0
        self.over = False
        self.asked_twice = False

    def _moment(self, *, sent: bool = False, after_s: float | None = None) -> None:
        self._done += 1
        if not self.over and self._done in self._ordinals:
            self.asked_twice |= sent and after_s is None
            raise WorkerDied(sent=sent, after_s=after_s)

    @override
    def before_activity(self, name: str, instance_id: str, task_id: int, attempt: int) -> None:
        self._moment()

    @override
    def after_activity(self, name: str, instance_id: str, task_id: int, attempt: int) -> None:
        self._moment()

    @override
    def after_orchestrator_turn(self, name: str, instance_id: str, attempt: int) -> None:
        self._moment(sent=self._done % 2 == 0)

    @override
    def after_entity_batch(self, entity_id: str, operations: list[str], attempt: int) -> None:
        self._moment(sent=True, after_s=1 + self._done % 30)


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


def text_of(vm: str, what: str) -> str:
    """What a wish is in the tag."""
    return what if what in ("", "@previous", "shared") else f"{vm}-{what}"


async def befall(azure: LocalAzure, calamity: Calamity) -> Diary:
    """Let it all happen, then let everything be well again, and let the sweep do its work until nothing is left."""
    azure.hub.interruptions = deaths = Deaths(calamity.deaths)
    azure.simulator.plane.faults.add([*calamity.faults, BAD])
    diary = Diary()
    for act in calamity.acts:
        await asyncio.sleep(act.wait_s)
        await _do(azure, act, diary)
    await asyncio.sleep(60)
    deaths.over, diary.asked_twice = True, deaths.asked_twice
    azure.simulator.plane.faults.clear()
    azure.simulator.plane.faults.add([BAD])
    for _ in range(30):
        await asyncio.sleep(301)
        await azure.fire("sweep")
        await asyncio.sleep(90)
        if azure.idle() and not azure.book().get("down"):
            break
    for _ in range(2):
        await azure.fire("sweep")
        await azure.settled()
    return diary


async def _do(azure: LocalAzure, act: Act, diary: Diary) -> None:
    if act.what == "kill":
        for name, instance in list(azure.hub.orchestrations.instances.items()):
            if not instance.ended and name.startswith(("swap-", "look-")):
                azure.hub.terminate(name)
        return
    try:
        if act.what == "stop":
            diary.stopped.add(act.vm)
            await azure.arm("POST", f"{vm_id(act.vm)}/deallocate")
        elif act.what in ("hold", "unhold"):
            await azure.tag(vm_id(act.vm), AutoRefresh="hold" if act.what == "hold" else "true")
            (diary.held.add if act.what == "hold" else diary.held.discard)(act.vm)
        else:
            await azure.tag(vm_id(act.vm), OsDiskName=text_of(act.vm, act.what))
            diary.wishes.setdefault(act.vm, []).append(act.what)
    except AssertionError:
        return  # Azure refused the person, too
    diary.edits[act.vm] = diary.edits.get(act.vm, 0) + 1


def calamities() -> st.SearchStrategy[Calamity]:
    """Small fleets in trouble."""
    return st.integers(1, 4).flatmap(_calamities)


def _calamities(size: int) -> st.SearchStrategy[Calamity]:
    names = NAMES[:size]
    in_set = st.booleans()
    fleet = in_set.flatmap(
        lambda together: st.tuples(
            *(
                st.builds(
                    Machine,
                    st.just(name),
                    st.sampled_from((*["running"] * 6, "deallocated", "stopped")),
                    st.sampled_from((True, True, False)),
                    st.sampled_from(("deallocate", "deallocate", "power-off")),
                    st.just(together),
                )
                for name in names
            )
        )
    )
    what = st.sampled_from(
        (*WISHES, "new", "newer", "bad", "bad", "hold", "hold", "unhold", "stop", "kill", "kill", "kill")
    )
    acts = st.lists(
        st.builds(Act, st.sampled_from((1, 10, 20, 30, 45, 60, 200, 400)), st.sampled_from(names), what),
        min_size=1,
        max_size=8,
    )
    first = st.builds(Act, st.just(0), st.sampled_from(names), st.sampled_from(("new", "newer", "bad")))
    return st.builds(
        Calamity,
        fleet,
        st.builds(lambda act, more: (act, *more), first, acts),
        st.lists(_faults(names), max_size=4).map(tuple),
        st.frozensets(st.integers(1, 90), max_size=6),
        st.builds(
            Chaos, st.sampled_from((0, 30)), st.sampled_from((0, 0.5, 1)), st.sampled_from((0, 0.5)), st.integers(0, 9)
        ),
    )


def _faults(names: tuple[str, ...]) -> st.SearchStrategy[dict[str, Any]]:
    resource = st.sampled_from(("*", *(f"*/{name}" for name in names)))
    operation = st.fixed_dictionaries(
        {"operation": st.sampled_from(("start", "deallocate", "powerOff", "update")), "resource": resource}
    )
    error = {"code": "InternalExecutionError", "message": "planned"}
    times = st.integers(1, 4)
    paths = (".*/(deallocate|powerOff)", ".*/start", ".*/virtualMachines/web0.", ".*/tags/default", ".*/disks/.*", ".*")
    match = st.fixed_dictionaries({"path": st.sampled_from(paths)})
    headers = st.sampled_from(({}, {"Retry-After": "3"}, {"Retry-After": "40"}))
    respond = st.fixed_dictionaries(
        {"status": st.sampled_from((429, 500, 503)), "headers": headers, "body": st.just({"error": error})}
    )
    return st.one_of(
        st.fixed_dictionaries({"match": operation, "times": times, "fail": st.just(error)}),
        st.fixed_dictionaries({"match": operation, "times": times, "duration_s": st.sampled_from((0.1, 120.0, 700.0))}),
        st.fixed_dictionaries({"match": match, "times": st.integers(1, 12), "respond": respond}),
    )
