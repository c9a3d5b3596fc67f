"""What a self-check makes of what Azure says about one subscription.

Decides where the rights to swap must be: on the subscription, or on each group that has VMs in scope. Refuses to know
how rights are read. Every swap checks its own rights again, on its own VM and disks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from refresh.domain import resource_id, tags
from refresh.domain.model import Vm

_NAMED = 5


def groups_in_scope(vms: Iterable[Vm]) -> list[str]:
    """The ids of the resource groups that have a VM in scope, each once."""
    found: dict[str, str] = {}
    for vm in vms:
        parsed = resource_id.parse(vm.id) if tags.in_scope(vm.tags) else None
        if parsed is not None:
            found.setdefault(parsed.group_id.lower(), parsed.group_id)
    return list(found.values())


def judge_rights(gaps: Mapping[str, tuple[str, ...]]) -> tuple[bool, str]:
    """Whether nothing is missing, and the sentence; `gaps` are the missing actions by scope (an id)."""
    lacking = {scope: actions for scope, actions in gaps.items() if actions}
    if not gaps:
        return True, "no VM is in scope yet; every swap checks its own rights"
    if not lacking:
        return True, f"the rights to swap are there on {len(gaps)} scope(s)"
    told = [f"{', '.join(actions)} on {scope}" for scope, actions in list(lacking.items())[:_NAMED]]
    more = f" and {len(lacking) - _NAMED} more" if len(lacking) > _NAMED else ""
    return False, f"the app's identity lacks {'; '.join(told)}{more}"
