"""Which resource providers a subscription of the fleet must be registered for, and what is lost where it is not.

Decides that only what swaps rest on fails a check: Resource Health where the settings count its rung, Compute where VMs
cannot even be listed. Events are a matter of minutes, because the sweep finds every edit. It does not know how a
registration is read.
https://learn.microsoft.com/azure/azure-resource-manager/management/resource-providers-and-types#register-resource-provider
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from refresh.domain.health.ladder import RungName

_REGISTERED = "registered"


@dataclass(frozen=True)
class Need:
    """A provider, by namespace, and what is lost without it; `vital` where no swap may begin then."""

    namespace: str
    loss: str
    vital: bool


@dataclass(frozen=True)
class Judgement:
    """Whether swaps may begin, one sentence, and what to do where something is missing or could not be read."""

    ok: bool
    message: str
    cure: str | None = None


def needed_providers(rungs: Collection[str], *, has_vms: bool) -> tuple[Need, ...]:
    """What is to be asked about; `rungs` are those that count, `has_vms` whether the subscription's VMs were listed."""
    counts = RungName.RESOURCE_HEALTH in rungs
    health = Need("Microsoft.ResourceHealth", f"the health rung {RungName.RESOURCE_HEALTH} says nothing", vital=True)
    events = Need("Microsoft.EventGrid", "no event of a tag edit comes, the sweep alone finds them", vital=False)
    compute = Need("Microsoft.Compute", "Azure tells nothing of its VMs", vital=True)
    return (*(() if has_vms else (compute,)), *((health,) if counts else ()), events)


def judge_registrations(
    subscription: str, needs: Collection[Need], states: Mapping[str, str], unread: Mapping[str, str]
) -> Judgement:
    """What the registrations of a subscription (its id) come to.

    `states` are Azure's words by namespace, `unread` why one could not be read: that is told, and is no failure.
    """
    missing = [need for need in needs if states.get(need.namespace, _REGISTERED).lower() != _REGISTERED]
    told = [f"{need.namespace} is {states[need.namespace]}: {need.loss}" for need in missing]
    told += [f"whether {name} is registered could not be read: {why}" for name, why in unread.items()]
    if not told:
        return Judgement(True, f"registered for {', '.join(need.namespace for need in needs)}")
    cures = [
        f"az provider register --subscription {subscription} --namespace {need.namespace} --wait" for need in missing
    ]
    cures += ["for what could not be read see docs/permissions.md"] if unread else []
    return Judgement(not any(need.vital for need in missing), "; ".join(told), "; ".join(cures))
