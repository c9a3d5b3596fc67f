"""What a self-check makes of the answers it gets, and what to do about each part that does not answer.

Decides where the rights to swap must be (on the subscription, or on each group that has VMs in scope) and which
subscriptions are asked first when time does not allow all. Does not know how rights are read. Every swap checks its own
rights again, on its own VM and disks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from refresh.domain.azure.vms import Vm
from refresh.domain.terms import resource_id, times

_NAMED = 5

ACTIVITY_CURE = "restart the app, look into its log for an activity that fails or hangs (docs/operations.md), ask again"
TIMER_CURE = "durable timers do not fire: restart the app, check its storage account's queues, and ask again"
CLAIM_CURE = (
    "the dispatcher does not answer: host.json must have entityMessageReorderWindowInMinutes 0; "
    "restart the app, look into its log for the entity dispatcher (docs/operations.md), and ask again"
)
DISPATCHER_CURE = "the dispatcher starts nothing: look into the app's log for the entity dispatcher, and ask again"
INSTANCES_CURE = "instances cannot be listed, so no list of runs works: check the app's storage account, and ask again"
STUCK_CURE = (
    "POST /api/selfcheck ends this one and begins another; if that gets stuck too, restart the app and "
    "look into its log (docs/operations.md)"
)
EVENTS_CURE = (
    "run `python3 -m tools.events`, which subscribes the app to tag edits, then look at the event subscription's "
    "delivery failures and its dead letters (docs/operations.md); until then the sweep finds each edit, minutes later"
)

# A self-check ends by itself before that; see `selfcheck_messages`.
STUCK_AFTER_S = 60


def is_stuck(started: str, now: str | None) -> bool:
    """Whether a self-check that began at `started` and runs at `now` (ISO) does not end any more; not when unknown."""
    return (times.seconds_between(started, now) or 0.0) > STUCK_AFTER_S


def order_subscriptions(subscriptions: Sequence[str], first: str | None) -> list[str]:
    """The subscriptions in the order a self-check asks about them, beginning with `first` where it is one of them.

    Time does not allow very many: a run that begins where the last one stopped reaches the others.
    """
    start = subscriptions.index(first) if first in subscriptions else 0
    return [*subscriptions[start:], *subscriptions[:start]]


def groups_in_scope(vms: Iterable[Vm]) -> list[str]:
    """The ids of the resource groups that have a VM in scope, each once."""
    found: dict[str, str] = {}
    for vm in vms:
        parsed = resource_id.parse(vm.id) if vm.own_tags.in_scope else None
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
