"""What a self-check concludes from rights, and what to do about each part that does not answer.

Decides where the rights to swap must be (on the subscription, or on each group that has VMs in scope) and which
subscriptions are checked first when the time does not allow all. Does not know how rights are read. Every swap checks
the rights on its own VM and disks again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from refresh.domain.azure.vms import Vm
from refresh.domain.terms import resource_id, tags, times

_NAMED = 5

ACTIVITY_CURE = (
    "restart the app, search its log for an activity that fails or hangs (docs/operations.md), run the check again"
)
TIMER_CURE = "durable timers do not fire: restart the app, check its storage account's queues, run the check again"
CLAIM_CURE = (
    "the dispatcher does not answer: host.json must have entityMessageReorderWindowInMinutes 0; "
    "restart the app, search its log for the entity dispatcher (docs/operations.md), run the check again"
)
DISPATCHER_CURE = "the dispatcher starts nothing: search the app's log for the entity dispatcher, run the check again"
INSTANCES_CURE = (
    "instances cannot be listed, so no list of runs works: check the app's storage account, run the check again"
)
STUCK_CURE = (
    "POST /api/selfcheck ends this one and begins another; if that gets stuck too, restart the app and "
    "search its log (docs/operations.md)"
)
EVENTS_CURE = (
    "run `python3 -m tools.events`, which subscribes the app to tag edits, then look at the event subscription's "
    "delivery failures and its dead letters (docs/operations.md); until then the sweep finds each edit, minutes later"
)

# A self-check ends by itself before that; see `records.selfcheck`.
STUCK_AFTER_S = 60


def is_stuck(started: str, now: str | None) -> bool:
    """Whether a self-check that began at `started` and still runs at `now` (ISO) is stuck; False when unknown."""
    return (times.seconds_between(started, now) or 0.0) > STUCK_AFTER_S


def order_subscriptions(subscriptions: Sequence[str], first: str | None) -> list[str]:
    """The subscriptions in the order of the check, beginning with `first` where it is one of them.

    The time allows only some of many: a run that begins where the last one stopped reaches the others.
    """
    start = subscriptions.index(first) if first in subscriptions else 0
    return [*subscriptions[start:], *subscriptions[:start]]


def groups_in_scope(vms: Iterable[Vm]) -> list[str]:
    """The ids of the resource groups that have a VM in scope, each once."""
    found: dict[str, str] = {}
    for vm in vms:
        parsed = resource_id.parse(vm.id) if tags.in_scope(vm.tags) else None
        if parsed is not None:
            found.setdefault(parsed.group_id.lower(), parsed.group_id)
    return list(found.values())


def judge_rights(gaps: Mapping[str, tuple[str, ...]]) -> tuple[bool, str]:
    """Whether no right is missing, and the sentence; `gaps` are the missing actions by scope (an id)."""
    lacking = {scope: actions for scope, actions in gaps.items() if actions}
    if not gaps:
        return True, "no VM is in scope yet; every swap checks its own rights"
    if not lacking:
        return True, f"the rights to swap are there on {len(gaps)} scope(s)"
    shown = [f"{', '.join(actions)} on {scope}" for scope, actions in list(lacking.items())[:_NAMED]]
    more = f" and {len(lacking) - _NAMED} more" if len(lacking) > _NAMED else ""
    return False, f"the app's identity lacks {'; '.join(shown)}{more}"
