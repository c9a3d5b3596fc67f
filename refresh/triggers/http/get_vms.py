"""GET vms: every VM in scope with the decision about it and how fresh it is, those that need a person first; with
`drift` those not on the latest image version, the oldest first; or one VM with all its facts.

Decides how often lists are read: the first page always reads them; the pages after it use the same ones for a minute,
because 25 pages of 2,500 VMs would otherwise cost 25 times the requests.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import azure.functions as func
from azure.durable_functions import DurableFunctionsClient

from refresh import wiring
from refresh.domain.azure.disks import Disk
from refresh.domain.azure.polls import LIST_BUDGET_S
from refresh.domain.azure.vms import Vm
from refresh.domain.fleet.freshness import Freshness
from refresh.domain.swap.decided_vm import DecidedVm
from refresh.domain.terms import resource_id
from refresh.gateways.errors import GatewayError
from refresh.gateways.gateways import Gateways
from refresh.reading.calls.retrying import retry_until_answered
from refresh.reading.dispatcher_state import read_dispatcher_state
from refresh.reading.fleet.each_subscription import raise_if_none, read_within
from refresh.reading.fleet.scope import unread_rows
from refresh.reading.fleet.subscription_lists import Inventory, list_disks_of_each, list_inventory
from refresh.reading.images.freshness import FreshnessReader
from refresh.reading.images.galleries import Catalog
from refresh.reading.swap.decide_many import decide_exactly, decide_from_lists, listed_source
from refresh.reading.swap.unforeseen import refuse_unforeseen
from refresh.reading.vm_memory import read_all_memory, read_vm_memory
from refresh.settings.settings import Settings
from refresh.triggers.http.problem import Problem, ProblemKind, answering, ok, path_of
from refresh.triggers.http.requests import VM_CURE, is_vm, read_query
from refresh.triggers.http.vm_names import find_vms
from refresh.views.dispatcher_state import DispatcherView
from refresh.views.paging import Key, next_link, read_token
from refresh.views.vms import MadeDisks, Rank, fresh_record, rank_of, refusal_record, stop_record, vm_record

_log = logging.getLogger(__name__)

PAGE_SIZE = 100
SNAPSHOT_S = 60.0
_UNKNOWN_DAYS = 1_000_000


@dataclass(frozen=True)
class _Snapshot:
    """Every VM in scope in the order of the list, as read at `at_s` of the loop's time.

    `fresh` is by VM id, or why galleries could not be read: the list of VMs does not wait for them.
    """

    at_s: float
    rows: tuple[tuple[Key, DecidedVm], ...]
    inventory: Inventory
    made: MadeDisks
    fresh: Mapping[str, Freshness] | GatewayError

    def drifted(self) -> tuple[tuple[Key, DecidedVm], ...]:
        """Those not on the latest version, the most days behind first. GatewayError when galleries were not read."""
        if isinstance(self.fresh, GatewayError):
            raise self.fresh
        known = [(self.fresh[decided.vm_id], decided) for _, decided in self.rows]
        behind = [(_days_behind(fresh), decided) for fresh, decided in known if fresh.drifted]
        rows: list[tuple[Key, DecidedVm]] = [((-days, decided.vm_id.lower()), decided) for days, decided in behind]
        return tuple(sorted(rows, key=lambda row: row[0]))

    def record(self, decided: DecidedVm, dispatcher: DispatcherView) -> dict[str, object]:
        """The VM record, with how fresh the VM is."""
        fresh = Freshness() if isinstance(self.fresh, GatewayError) else self.fresh[decided.vm_id]
        try:
            record = vm_record(decided, dispatcher, self.made, self.inventory.os_disk(decided.facts.vm))
            record |= stop_record(decided.facts)
        except Exception as error:  # one VM must not fail the list
            record = refusal_record(decided.vm_id, refuse_unforeseen(decided.vm_id, error)) | stop_record()
        return record | fresh_record(fresh)


_snapshots: WeakKeyDictionary[asyncio.AbstractEventLoop, _Snapshot] = WeakKeyDictionary()


@answering
async def get_vms(req: func.HttpRequest, client: DurableFunctionsClient) -> func.HttpResponse:
    """`GET vms`: a page of VM records (`nextLink` leads to the next), or with `vm` the record of one.

    `drift=true` lists only those that are not on the latest version of their image. `unread` names each subscription
    whose VMs are missing from the list.
    """
    query = read_query(req, ("vm", "after", "drift"))
    _check_drift(query)
    settings = wiring.settings()
    dispatcher = DispatcherView(await read_dispatcher_state(client))
    if "vm" in query:
        return ok(await _read_one(client, settings, dispatcher, query["vm"]))
    after = _read_after(query.get("after"))
    snapshot = (_recent() if after else None) or await _read_snapshot(client, settings, dispatcher)
    listed = snapshot.drifted() if "drift" in query else snapshot.rows
    rows = [row for row in listed if after is None or row[0] > after]
    page = rows[:PAGE_SIZE]
    records = [snapshot.record(decided, dispatcher) for _, decided in page]
    more = page[-1][0] if len(rows) > PAGE_SIZE else None
    kept = {"drift": query["drift"]} if "drift" in query else {}
    unread = unread_rows(snapshot.inventory.unread, "its VMs or disks")
    return ok({"value": records, "nextLink": next_link(path_of(req), kept, more), "unread": unread})


async def _read_one(
    client: DurableFunctionsClient, settings: Settings, dispatcher: DispatcherView, name: str
) -> dict[str, object]:
    gateways = wiring.gateways()
    if not is_vm(name):
        raise Problem(ProblemKind.BAD_REQUEST, f"vm {VM_CURE}")
    try:
        (vm_id,) = await find_vms(gateways, [name])
    except Problem as problem:
        raise Problem(problem.kind, problem.detail) from None
    dispatcher = dispatcher.with_memory(await read_vm_memory(client, [vm_id]))
    (decided,) = await decide_exactly(gateways, settings, [vm_id], dispatcher.recall, warning=gateways)
    home = resource_id.parse_vm(vm_id)
    listed = raise_if_none(await list_disks_of_each(gateways, [home.subscription] if home else []))
    disks = {disk_id: disk for part in listed.read.values() for disk_id, disk in part.items()}
    vm = decided.facts.vm
    current = disks.get(vm.os_disk_id.lower()) if vm is not None and vm.os_disk_id else None
    record = vm_record(decided, dispatcher, _made(disks.values(), settings), current)
    record |= stop_record(decided.facts)
    fresh = await _freshness(gateways, settings, [(vm_id, vm, current)])
    return record | fresh_record(Freshness() if isinstance(fresh, GatewayError) else fresh[vm_id])


async def _read_snapshot(client: DurableFunctionsClient, settings: Settings, dispatcher: DispatcherView) -> _Snapshot:
    gateways = wiring.gateways()
    dispatcher = dispatcher.with_memory(await read_all_memory(client, dispatcher.state))
    inventory = await list_inventory(gateways)
    in_scope = [vm.id for vm in inventory.vms.values() if _is_listed(vm)]
    source = listed_source(gateways, inventory)
    decided = await decide_from_lists(source, settings, in_scope, dispatcher.recall, warning=gateways)
    rows: list[tuple[Key, DecidedVm]] = [((int(_rank(one, dispatcher)), one.vm_id.lower()), one) for one in decided]
    rows.sort(key=lambda row: row[0])
    loop = asyncio.get_running_loop()
    facts = [(one.vm_id, one.facts.vm, inventory.os_disk(one.facts.vm)) for one in decided]
    fresh = await _freshness(gateways, settings, facts)
    snapshot = _Snapshot(loop.time(), tuple(rows), inventory, _made(inventory.disks.values(), settings), fresh)
    _snapshots[loop] = snapshot
    return snapshot


def _is_listed(vm: Vm) -> bool:
    try:
        return vm.own_tags.in_scope
    except Exception:  # its row has the fault
        return True


def _rank(seen: DecidedVm, dispatcher: DispatcherView) -> Rank:
    try:
        return rank_of(seen, dispatcher)
    except Exception:  # its row has the fault
        return Rank.REFUSED


async def _freshness(
    gateways: Gateways, settings: Settings, facts: Iterable[tuple[str, Vm | None, Disk | None]]
) -> dict[str, Freshness] | GatewayError:
    async def read() -> dict[str, Freshness]:
        now = await retry_until_answered(gateways.clock.now, budget_s=LIST_BUDGET_S)
        reader = FreshnessReader(Catalog(gateways, settings.galleries, budget_s=LIST_BUDGET_S), now)
        return {vm_id: await _freshness_of(reader, vm, current) for vm_id, vm, current in facts}

    try:
        return await read_within(read, budget_s=0.0)  # the reads inside are retried
    except GatewayError as error:
        return error


async def _freshness_of(reader: FreshnessReader, vm: Vm | None, current: Disk | None) -> Freshness:
    try:
        return await reader.read(vm, current)
    except GatewayError:
        raise
    except Exception:  # one VM must not fail the list
        _log.exception("unexpected error about the freshness of %s", vm.id if vm is not None else "a VM")
        return Freshness()


def _days_behind(fresh: Freshness) -> int:
    # A VM of unknown age comes first.
    return fresh.days_behind if fresh.days_behind is not None else _UNKNOWN_DAYS


def _check_drift(query: Mapping[str, str]) -> None:
    if query.get("drift", "true") != "true":
        raise Problem(ProblemKind.BAD_REQUEST, "drift must be true, or be left out for every VM")
    if "drift" in query and "vm" in query:
        raise Problem(ProblemKind.BAD_REQUEST, "vm and drift cannot be combined")


def _recent() -> _Snapshot | None:
    loop = asyncio.get_running_loop()
    found = _snapshots.get(loop)
    return found if found is not None and loop.time() - found.at_s < SNAPSHOT_S else None


def _made(disks: Iterable[Disk], settings: Settings) -> MadeDisks:
    return MadeDisks.among(disks, [gallery.lower() for gallery in settings.galleries])


def _read_after(text: str | None) -> Key | None:
    if text is None:
        return None
    key = read_token(text, (int, str))
    if key is None:
        raise Problem(ProblemKind.BAD_REQUEST, "after is not a token of this list; follow nextLink as it is")
    return key
