"""Whether the OS disk of a VM was changed by others after the app had fulfilled its tag.

A restore by Azure Backup, `az vm repair`, a swap in the portal and Terraform change the disk and leave the tag. Decides
from the tag's value and the app's memory alone: an event is no evidence of an edit, because ARM keeps no time of one.
"""

from __future__ import annotations

from refresh.domain.terms import resource_id, tags
from refresh.domain.vm.facts import Facts, disk_key


def find_change(facts: Facts) -> str | None:
    """The message about a VM that runs another disk than its tag names, although the tag still has the value that was
    fulfilled; None for any other VM.

    `@previous` is always an edit: the app replaces it with the disk's name. A disk of a swap that is still under way,
    by the VM's `RefreshState`, was put in by the app.
    """
    vm, last = facts.vm, facts.fulfilled
    if vm is None or last is None or facts.wish.disk_id is None or vm.os_disk_id is None or vm.own_tags.wants_previous:
        return None
    if disk_key(vm.unique_id, facts.wish.disk_id) != last.disk or resource_id.same(facts.wish.disk_id, vm.os_disk_id):
        return None
    left = vm.own_tags.open_intent
    names = (vm.os_disk_name, vm.os_disk_id, vm.os_disk_id.rsplit("/", 1)[-1])
    if left is not None and left.run not in facts.over and left.is_about(vm.id, *names):
        return None
    return _describe(facts, vm.os_disk_name or names[-1])


def _describe(facts: Facts, runs: str) -> str:
    last, current = facts.fulfilled, facts.current
    named = (facts.wish.disk_id or "").rsplit("/", 1)[-1]
    when = f" at {last.at}" if last is not None and last.at else ""
    created = f", created at {current.time_created}" if current is not None and current.time_created else ""
    return (
        f"{tags.OS_DISK_NAME} still names {named}, which the app fulfilled{when}, but the VM runs {runs}{created}: "
        f"others have changed the OS disk, and the app leaves it. POST /api/adopt writes {runs} into the tag; "
        f"POST /api/swap, or another value of {tags.OS_DISK_NAME}, swaps the VM"
    )
