"""Activity: right before downtime, reads the facts again, decides again, and makes the plan of the swap.

The plan is made once and stays in the durable history, so that a deployment cannot change a swap under way.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import grpc

from refresh import wiring
from refresh.activities.health.baseline import health_before
from refresh.domain.azure.vms import Power, Vm
from refresh.domain.swap import plan
from refresh.domain.swap.decision import Refuse, Revive, Skip, Swap, decide_swap
from refresh.domain.swap.way_back import Way, plan_next_way
from refresh.domain.terms import resource_id, tags
from refresh.domain.terms.decision_kind import DecisionKind
from refresh.domain.terms.intent_tag import write_intent_tag
from refresh.domain.terms.swap_reason import Reason
from refresh.domain.vm.facts import Facts
from refresh.domain.vm.vm_print import print_of
from refresh.domain.vm.wish import disk_of_text, disk_text
from refresh.gateways.gateways import Gateways
from refresh.reading.calls.paced_reads import Pace
from refresh.reading.fleet.configured_subscriptions import ConfiguredSubscriptions
from refresh.reading.swap.facts import FactReader, policy_of
from refresh.reading.swap.memory import memory_of
from refresh.reading.swap.unforeseen import refuse_unforeseen
from refresh.reading.swap.warnings import FoundWarnings, WarningReader
from refresh.reading.vm_memory import read_vm_memory
from refresh.records.dispatcher_state import WayRow
from refresh.records.swap import Health, Intent, Prepared, SwapWarning
from refresh.records.vm_memory import KnownVms, RefusedRow
from refresh.settings.settings import Settings

# A swap needs few reads, so there is no pause between them.
_NO_GAP_S = 0.0


async def prepare_swap(data: dict[str, Any], client: Any) -> dict[str, Any]:
    """The plan of swap `run` of `vm`: a `Prepared` with intent, tags and steps, or the reason why there is none.

    `client` is the durable client that the host binds.
    """
    settings, gateways = wiring.settings(), wiring.gateways()
    try:
        known = await read_vm_memory(client, [data["vm"]])
        last = known.fulfilled_of(data["vm"], data.get("fulfilled"))
        recalled = {**data, "ran": known.ran_of(data["vm"], data.get("ran", ())), "fulfilled": last}
        recalled["way"] = _way_of(data, known)
        return (await _prepare(recalled, settings, gateways, known.refusal_of(data["vm"]))).to_json()
    except grpc.RpcError as error:
        message = f"what is known about the VM could not be read: {error!r:.160}"
        return Prepared(DecisionKind.REFUSE, Reason.UNREADABLE, message).to_json()
    except Exception as error:  # nothing has been touched: the refusal names the fault instead of a broken swap
        refusal = refuse_unforeseen(data["vm"], error)
        return Prepared(DecisionKind.REFUSE, refusal.reason, refusal.message).to_json()


def _way_of(data: dict[str, Any], known: KnownVms) -> Way | None:
    row = known.way_of(data["vm"], WayRow.from_json(data["way"]) if data.get("way") else None)
    return Way(row.source, row.target, row.taken) if row is not None else None


async def _prepare(
    data: dict[str, Any], settings: Settings, gateways: Gateways, refused: RefusedRow | None
) -> Prepared:
    """The plan, with what has been announced about the same VM and wish."""
    prepared, facts = await _decide(data, settings, gateways)
    if facts.vm is None:
        return prepared
    about = print_of(facts.vm, facts.wish)
    reason = refused.reason if refused is not None and refused.about == about else None
    return replace(prepared, about=about, refused=reason)


async def _decide(data: dict[str, Any], settings: Settings, gateways: Gateways) -> tuple[Prepared, Facts]:
    policy = policy_of(settings)
    # Other VMs' tags were read when this swap was admitted, and a disk is in one swap at a time. A list of the whole
    # group for each swap would use up Azure's limit for lists.
    inside = ConfiguredSubscriptions(gateways.graph, settings)
    reader = FactReader(gateways, policy, Pace(_NO_GAP_S), inside, others=False)
    facts = await reader.read(data["vm"], **memory_of(data))
    # `force` applies to the disk it was requested for; the tag may name another one by now.
    force = bool(data.get("force")) and resource_id.same(facts.wish.disk_id, data.get("wanted"))
    decision = decide_swap(facts, policy, force=force)
    if isinstance(decision, Swap):
        assert facts.vm is not None  # noqa: S101 - a swap is only decided for a VM that was read
        warner = WarningReader(gateways.access, gateways.guests, settings, reader.reads)
        found = await warner.read_warnings(facts.vm, facts.current, facts.wanted)
        health = await health_before(facts.vm, facts.definition, gateways.guests, found.lost, found.stop.mode)
        prepared = _swap(facts, decision, data["run"], health, found)
        prepared = replace(prepared, intent=_with_way(prepared.intent, facts, data["way"]))
        return replace(prepared, notice_s=settings.notice_s if settings.outcome_topic else None), facts
    kind = {Revive: DecisionKind.REVIVE, Refuse: DecisionKind.REFUSE, Skip: DecisionKind.SKIP}[type(decision)]
    intent = _revival(facts, data["run"]) if isinstance(decision, Revive) else None
    steps = plan.plan_revival() if intent else ()
    return Prepared(kind, decision.reason, decision.message, intent, steps=tuple(map(str, steps))), facts


def _swap(facts: Facts, decision: Swap, run: str, health: Health, found: FoundWarnings) -> Prepared:
    vm, disk = facts.vm, decision.disk
    assert vm is not None  # noqa: S101 - a swap is only decided for a VM that was read
    assert vm.os_disk_id is not None  # noqa: S101 - checked by the preflight
    runs = vm.power in (Power.RUNNING, Power.STARTING)
    intent = Intent(
        run=run,
        was_running=runs,
        old_disk=vm.os_disk_id,
        new_disk=disk.id,
        agent_spoke=runs and vm.agent is not None and vm.agent.ready,
        previous=vm.own_tags.os_disk_previous,
        version=disk.source_version,
        unique_id=vm.unique_id,
        stop_mode=found.stop.mode,
        stop_why=found.stop.why[:300],
        health=health,
        warnings=tuple(SwapWarning(str(one.code), one.message[:300]) for one in found.warnings),
    )
    steps, undo = plan.plan_swap(runs), plan.plan_undo(runs)
    return Prepared(
        decision=DecisionKind.SWAP,
        reason=decision.reason,
        message=decision.message,
        intent=intent,
        tags=_tags(vm, facts, intent),
        steps=tuple(map(str, steps)),
        undo=tuple(map(str, undo)),
        down_s=plan.expected_down_s(steps, found.stop.mode),
    )


def _with_way(intent: Intent | None, facts: Facts, way: Way | None) -> Intent | None:
    """The intent, and whether its swap takes the way back, from which image version."""
    if intent is None or facts.vm is None:
        return intent
    after = plan_next_way(way, facts.vm.id, intent.old_disk, intent.new_disk, intent.previous)
    version = facts.current.source_version if facts.current is not None else None
    declined = resource_id.id_hash(version) if after.taken and version is not None else None
    return replace(intent, back=after.taken, declined=declined)


def _tags(vm: Vm, facts: Facts, intent: Intent) -> dict[str, str]:
    old, new = disk_text(vm.id, intent.old_disk), disk_text(vm.id, intent.new_disk)
    written = {
        **_previous(vm, facts, intent),
        tags.REFRESH_STATE: write_intent_tag(intent.run, intent.was_running, old, new),
    }
    if facts.wish.text.lower() == tags.PREVIOUS:
        written[tags.OS_DISK_NAME] = new
    return written


def _previous(vm: Vm, facts: Facts, intent: Intent) -> dict[str, str]:
    """What is written into `OsDiskPrevious`: the old disk; where that is rejected, what the tag names stays or goes."""
    rejected = {*facts.rejected, (disk_of_text(vm.id, vm.own_tags.rejected) or "").lower()}
    version = facts.current.source_version if facts.current is not None else None
    if rejected.isdisjoint({intent.old_disk.lower(), (version or intent.old_disk).lower()}):
        return {tags.OS_DISK_PREVIOUS: disk_text(vm.id, intent.old_disk)}
    kept = disk_of_text(vm.id, vm.own_tags.previous)
    if kept is None or (not resource_id.same(kept, intent.new_disk) and kept.lower() not in rejected):
        return {}
    return {tags.OS_DISK_PREVIOUS: ""}


def _revival(facts: Facts, run: str) -> Intent:
    vm = facts.vm
    assert vm is not None  # noqa: S101 - only a VM that was read is revived
    disk = vm.os_disk_id or ""
    return Intent(run=run, was_running=True, old_disk=disk, new_disk=disk, unique_id=vm.unique_id)
