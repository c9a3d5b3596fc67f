"""The way back of a VM: the disk that it ran before its last swap, and whether a request for it leads there.

Decides that each VM has one way back at most: the swap that takes it leaves none. Does not know how the request came.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from refresh.domain.azure.vms import Vm
from refresh.domain.swap.decision import Refuse, Skip
from refresh.domain.terms import resource_id, tags
from refresh.domain.terms.resource_id import id_hash
from refresh.domain.terms.swap_reason import Reason
from refresh.domain.vm.wish import disk_of_text


@dataclass(frozen=True)
class Way:
    """From `source`, which the last swap put in, to `target`, which the VM ran before (hashes of disk ids).

    `taken`: the last swap was the way back itself, from `source` to `target`.
    """

    source: str
    target: str
    taken: bool = False


@dataclass(frozen=True)
class Given:
    """What a run gave a VM: the ids of its disk before and after the run."""

    old_disk: str
    new_disk: str


def plan_next_way(way: Way | None, vm_id: str, old_disk: str, new_disk: str, previous: str | None) -> Way:
    """The way back after a swap from `old_disk` to `new_disk` (ids); `way` and `previous` are those before it.

    `previous` is the value of `OsDiskPrevious`: without a record it shows that the VM ran the new disk before.
    """
    old, new = id_hash(old_disk), id_hash(new_disk)
    if way is None or old not in (way.source, way.target):  # the VM's disk was changed without the app
        is_back = resource_id.same(disk_of_text(vm_id, previous or ""), new_disk)
    else:
        is_back = (way.source, way.target) == (old, new)
    return Way(old, new, taken=True) if is_back else Way(new, old)


def choose_way_back(
    vm: Vm, way: Way | None, rejected: Collection[str], given: Given | None = None, *, force: bool = False
) -> str | Skip | Refuse:
    """The id of the disk that a rollback of `vm` leads to, or why it leads nowhere.

    `rejected` are ids (lower-case) found unhealthy on the VM; with `given` only what that run gave is taken back.
    """
    runs = vm.os_disk_id or ""
    if given is not None and not _runs_what_was_given(runs, given):
        return _not_given(vm, runs, given)
    previous = disk_of_text(vm.id, vm.own_tags.previous)
    if way is None or (given is not None and id_hash(runs) not in (way.source, way.target)):
        target = _target_by_tag(runs, previous, given)
    elif id_hash(runs) == way.target:
        return _already_back(vm)
    elif id_hash(runs) != way.source:
        message = f"runs disk {vm.os_disk_name} now, which its last swap did not put in: write the name of the disk"
        return Skip(Reason.RUNS_ANOTHER_DISK, f"{message} it is to run into {tags.OS_DISK_NAME}")
    else:
        known = (previous, given.old_disk if given is not None else None)
        target = next((disk for disk in known if disk is not None and id_hash(disk) == way.target), None)
        if target is not None and given is not None and not resource_id.same(target, given.old_disk):
            target = None
    if target is None:
        return Skip(Reason.NO_PREVIOUS, "has no disk to go back to: the app has not swapped it, or does not know")
    if not force and target.lower() in rejected:
        name = target.rsplit("/", 1)[-1]
        return Refuse(Reason.REJECTED_BEFORE, f"disk {name} was found unhealthy on this VM; name another one, or force")
    return target


def _runs_what_was_given(runs: str, given: Given) -> bool:
    return resource_id.same(runs, given.new_disk)


def _not_given(vm: Vm, runs: str, given: Given) -> Skip:
    if resource_id.same(runs, given.old_disk):
        return _already_back(vm)
    gave = given.new_disk.rsplit("/", 1)[-1]
    return Skip(Reason.RUNS_ANOTHER_DISK, f"runs disk {vm.os_disk_name} now, not {gave}, which the run gave it")


def _target_by_tag(runs: str, previous: str | None, given: Given | None) -> str | None:
    if previous is None or resource_id.same(previous, runs):
        return None
    return previous if given is None or resource_id.same(previous, given.old_disk) else None


def _already_back(vm: Vm) -> Skip:
    return Skip(Reason.ALREADY_BACK, f"runs disk {vm.os_disk_name} again, the one before its last swap")
