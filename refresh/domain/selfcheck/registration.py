"""Which resource providers a subscription of the fleet must be registered for, and what is lost without each.

Decides that only what swaps need fails a check: Resource Health where the settings count its rung, Compute where VMs
cannot be listed. Missing events cost minutes only, because the sweep finds every edit. Does not know how a registration
is read.
https://learn.microsoft.com/azure/azure-resource-manager/management/resource-providers-and-types#register-resource-provider
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from refresh.domain.health.ladder import RungName
from refresh.domain.terms.shell import command

_REGISTERED = "registered"


@dataclass(frozen=True)
class Need:
    """A provider, by namespace, and what is lost without it; `vital` when no swap can begin without it."""

    namespace: str
    loss: str
    vital: bool


@dataclass(frozen=True)
class Judgement:
    """Whether swaps can begin, one sentence, and what to do where a registration is missing or could not be read."""

    ok: bool
    message: str
    cure: str | None = None


def needed_providers(rungs: Collection[str], *, has_vms: bool) -> tuple[Need, ...]:
    """The providers to check; `rungs` are those that count, `has_vms` is whether the subscription's VMs were listed."""
    counts = RungName.RESOURCE_HEALTH in rungs
    health = Need("Microsoft.ResourceHealth", f"the health rung {RungName.RESOURCE_HEALTH} shows nothing", vital=True)
    events = Need("Microsoft.EventGrid", "no events of tag edits arrive, only the sweep finds edits", vital=False)
    compute = Need("Microsoft.Compute", "its VMs cannot be listed", vital=True)
    return (*(() if has_vms else (compute,)), *((health,) if counts else ()), events)


def judge_registrations(
    subscription: str, needs: Collection[Need], states: Mapping[str, str], unread: Mapping[str, str]
) -> Judgement:
    """Whether the registrations of a subscription (its id) allow swaps.

    `states` are Azure's states by namespace, `unread` the reasons why one could not be read: the message has them, and
    they are no failure.
    """
    missing = [need for need in needs if states.get(need.namespace, _REGISTERED).lower() != _REGISTERED]
    found = [f"{need.namespace} is {states[need.namespace]}: {need.loss}" for need in missing]
    found += [f"whether {name} is registered could not be read: {why}" for name, why in unread.items()]
    if not found:
        return Judgement(True, f"registered for {', '.join(need.namespace for need in needs)}")
    register = ("az", "provider", "register", "--subscription", subscription, "--namespace")
    cures = [command(*register, need.namespace, "--wait") for need in missing]
    cures += ["for what could not be read see docs/permissions.md"] if unread else []
    return Judgement(not any(need.vital for need in missing), "; ".join(found), "; ".join(cures))
