"""One thing made unreadable or hostile: a VM, its disks, a region's VMs, a subscription, a list, or events.

Decides which answers of ARM change, which VMs that is about, and when. Leaves how an answer changes to
`hostile_answers.py`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from hypothesis import strategies as st

from simulator.arm.core.messages import Answer
from tests.support.chaos.hostile_answers import Hangs, Hostile, edited, endless, rows, wholes
from tests.support.chaos.hostile_events import batches
from tests.support.worlds.local_azure import LocalAzure
from tests.support.worlds.mixed_fleet import ALL, MACHINES, Machine, machine

_LISTS = ("virtualMachines", "disks")


@dataclass(frozen=True)
class Target:
    """The answers to `method` on paths that match `paths`; `row`: the resource that is edited in them.

    `about` are the names of the VMs that these answers decide about, `names` the texts by which the log or an answer
    of the app may name what is disturbed.
    """

    paths: str
    about: frozenset[str]
    names: tuple[str, ...]
    row: str = ""
    method: str = "GET"


@dataclass(frozen=True)
class Disturbance:
    """`answers` of `target` from `begins_s` on, only each `every`-th one; and `events` that are sent at once."""

    target: Target | None = None
    answers: Hostile | None = None
    begins_s: float = 0.0
    every: int = 1
    events: tuple[dict[str, Any], ...] = field(default=(), repr=True)

    @property
    def about(self) -> frozenset[str]:
        """The names of the VMs that are disturbed."""
        return self.target.about if self.target is not None else frozenset()

    @property
    def target_names(self) -> tuple[str, ...]:
        """The texts that name what is disturbed."""
        return self.target.names if self.target is not None else ()


def begin(azure: LocalAzure, disturbance: Disturbance) -> Callable[[], None]:
    """Change answers from now on; the returned function ends it."""
    target, answers = disturbance.target, disturbance.answers
    changes = azure.simulator.services.on_answer
    if target is None or answers is None:
        return changes.clear
    pattern, count = re.compile(target.paths, re.IGNORECASE), 0

    def change(method: str, path: str, answer: Answer) -> None:
        nonlocal count
        if method != target.method or not pattern.search(path):
            return
        count += 1
        if count % disturbance.every == 0:
            answers.change(answer, target.row, f"{azure.endpoints.arm}{path}?api-version=2024-07-01&again=1")

    changes.append(change)
    return changes.clear


def disturbances() -> st.SearchStrategy[Disturbance]:
    """Any disturbance of a mixed fleet."""
    return st.one_of(_of_one(), _of_one(), _of_many(), _of_lists(), _of_events())


def disturbances_of_months() -> st.SearchStrategy[Disturbance]:
    """Any disturbance of a month whose gallery is in the first subscription."""
    graph = Target("/providers/Microsoft.ResourceGraph/resources$", frozenset(), ("Resource Graph",), method="POST")
    second = ALL[1]
    about = _in(lambda each: each.subscription == second)
    silent = Target(f"^/subscriptions/{second}(/|$)", about, (second,))
    unread = st.one_of(wholes(), st.just(Hangs()))
    chosen = st.sampled_from(MACHINES)
    any_read = r"/(virtualMachines|disks)(/[^/]+)?$|ResourceGraph/resources$"
    row = chosen.map(lambda one: Target(any_read, frozenset({one.name}), (one.name,), row=one.id))
    of_vm = chosen.map(lambda one: Target(f"{one.id}$", frozenset({one.name}), (one.name,)))
    of_disk = chosen.map(lambda one: Target(f"{one.disk('old')}$", frozenset({one.name}), (one.name,)))
    return st.one_of(
        _disturbed(st.just(graph), st.one_of(unread, rows(), endless())),
        _disturbed(st.just(silent), unread),
        _disturbed(st.one_of(of_vm, of_disk), unread),
        _disturbed(row, edited()),
    ).map(lambda one: replace(one, begins_s=0.0))


def _disturbed(targets: st.SearchStrategy[Target], answers: st.SearchStrategy[Hostile]) -> st.SearchStrategy[Any]:
    begins_s = st.sampled_from((0.0, 0.0, 8.0, 20.0, 45.0))
    return st.builds(Disturbance, targets, answers, begins_s, st.sampled_from((1, 1, 1, 2)))


def _of_one() -> st.SearchStrategy[Disturbance]:
    """Of one VM or one of its disks, read alone or (where fields are edited) in lists."""
    chosen = st.sampled_from(MACHINES)
    unread = st.one_of(wholes(), st.just(Hangs()))
    of_vm = chosen.map(lambda one: Target(f"{one.id}$", frozenset({one.name}), (one.name,)))
    all_of_vm = chosen.map(lambda one: Target(f"{one.id}(/|$)", frozenset({one.name}), (one.name,)))
    disks = st.builds(lambda one, word: (one, one.disk(word)), chosen, st.sampled_from(("old", "new", "bad")))
    of_disk = disks.map(lambda two: Target(f"{two[1]}$", frozenset({two[0].name}), (two[0].name,)))
    writes = st.builds(_writes, chosen, st.sampled_from(("POST", "PATCH")))
    any_read = r"/(virtualMachines|disks)(/[^/]+)?$"
    row = chosen.map(lambda one: Target(any_read, frozenset({one.name}), (one.name,), row=one.id))
    disk_row = disks.map(lambda two: Target(any_read, frozenset({two[0].name}), (two[0].name,), row=two[1]))
    return st.one_of(
        _disturbed(st.one_of(of_vm, all_of_vm, of_disk, writes), unread),
        _disturbed(st.one_of(row, row, disk_row), edited()),
    )


def _of_many() -> st.SearchStrategy[Disturbance]:
    """Of every VM of one region, or of all reads of one subscription."""
    unread = st.one_of(wholes(), st.just(Hangs()))
    regions = st.sampled_from(("westeurope", "northeurope")).map(_region)
    subscriptions = st.sampled_from(ALL).map(
        lambda one: Target(f"^/subscriptions/{one}(/|$)", _in(lambda each: each.subscription == one), (one,))
    )
    return _disturbed(st.one_of(regions, subscriptions), unread)


def _of_lists() -> st.SearchStrategy[Disturbance]:
    """Of one list: of the VMs or disks of a subscription, of the VMs or locks of a group, or of rights."""
    drawn = st.builds(_list, st.sampled_from(ALL), st.sampled_from((*_LISTS, "group", "locks", "rights")))
    unread = _disturbed(drawn, st.one_of(wholes(), st.just(Hangs()), endless()))
    hostile = st.builds(_list, st.sampled_from(ALL), st.sampled_from((*_LISTS, "group")))
    return st.one_of(unread, _disturbed(hostile.map(lambda one: replace(one, about=frozenset())), rows()))


def _of_events() -> st.SearchStrategy[Disturbance]:
    return batches(machine("web01").id).map(lambda events: Disturbance(events=events))


def _writes(one: Machine, method: str) -> Target:
    """What Azure answers to the app's changes of a VM; ARM has made them by then."""
    return Target(f"{one.id}(/|$)", frozenset({one.name}), (one.name,), method=method)


def _in(belongs: Callable[[Machine], bool]) -> frozenset[str]:
    return frozenset(one.name for one in MACHINES if belongs(one))


def _region(name: str) -> Target:
    about = _in(lambda each: each.region == name)
    ids = "|".join(machine(one).id for one in sorted(about))
    return Target(f"({ids})$", about, tuple(sorted(about)))


def _list(subscription: str, what: str) -> Target:
    home = f"^/subscriptions/{subscription}"
    if what in _LISTS:
        # A look reads VMs one by one: only VMs that nothing but the list reports can be missed.
        swept = _in(lambda each: each.subscription == subscription and not each.edited)
        about = swept if what == "virtualMachines" else frozenset()
        return Target(f"{home}/providers/Microsoft.Compute/{what}$", about, (subscription,))
    paths = {"group": "providers/Microsoft.Compute/virtualMachines", "locks": ".*/locks", "rights": ".*/permissions"}
    about = _in(lambda each: each.subscription == subscription)
    return Target(f"{home}/resourceGroups/[^/]+/{paths[what]}$", about, (subscription, *sorted(about)))
