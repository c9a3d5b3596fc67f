"""The services that every provider shares.

Decides their set: one clock, one store, one journal, one set of operations, faults, counters and registrations. Does
not know any resource type.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from random import Random

from simulator.arm.core.errors import ArmError, precondition_failed
from simulator.arm.core.faults import Faults
from simulator.arm.core.history import History
from simulator.arm.core.ids import ResourceId
from simulator.arm.core.journal import Journal
from simulator.arm.core.messages import Answer, Request
from simulator.arm.core.operations import Operations, guid
from simulator.arm.core.rate_limits import RateLimits
from simulator.arm.core.registrations import Registrations
from simulator.arm.core.store import Record, Store
from simulator.arm.core.write_events import Listener, WriteEvent, WriteKind
from simulator.clock import Clock

TENANT_ID = "72f988bf-0000-4000-8000-2d7cd011db47"
DEFAULT_SUBSCRIPTION = "00000000-0000-4000-8000-000000000001"
DEFAULT_LOCATION = "westeurope"


class Services:
    """State and services of one simulated ARM.

    Tests in the same process add to `on_answer` functions of method, path and answer that change ARM's own answers.
    """

    def __init__(self, clock: Clock, seed: int, listeners: list[Listener], *, throttle: bool = False) -> None:
        self.clock = clock
        self.store = Store()
        self.faults = Faults()
        self.limits = RateLimits(clock, enforced=throttle)
        self._throttle = throttle
        self.registrations = Registrations(clock)
        self.journal = Journal()
        self.on_power: list[Callable[[Record], None]] = []
        self.on_answer: list[Callable[[str, str, Answer], None]] = []
        self.history = History(clock, self.store)
        self.operations = Operations(clock, self.faults, self.history, seed, listeners)
        self._lag = timedelta()

    def now(self) -> datetime:
        """The simulated time, inside `as_of` that of the replica."""
        return self.clock.now() - self._lag

    @contextmanager
    def as_of(self, age_s: float) -> Iterator[None]:
        """Inside the block, resources and time are those of `age_s` seconds ago, as on a replica that lags behind."""
        self._lag = timedelta(seconds=age_s)
        try:
            with self.store.showing(self.history.at(self.clock.time() - age_s)):
                yield
        finally:
            self._lag = timedelta()

    def random(self, kind: str, resource_id: ResourceId) -> Random:
        """A reproducible random source for one purpose on one resource."""
        return self.operations.random(kind, resource_id)

    def guid(self, kind: str, resource_id: ResourceId) -> str:
        """A reproducible guid for one purpose on one resource."""
        return guid(self.random(kind, resource_id))

    def add_subscription(self, subscription: str) -> None:
        """Add a subscription; an existing one stays as it is."""
        self.store.subscriptions.setdefault(
            subscription.lower(),
            {
                "id": f"/subscriptions/{subscription}",
                "subscriptionId": subscription,
                "tenantId": TENANT_ID,
                "displayName": "Sandbox",
                "state": "Enabled",
                "managedByTenants": [],
            },
        )

    def require(self, resource_id: ResourceId, missing: ArmError) -> Record:
        """Return the resource, or raise `missing`."""
        record = self.store.get(resource_id)
        if record is None:
            raise missing
        return record

    def power_changed(self, vm: Record) -> None:
        """Call the listeners in `on_power`: a VM started or stopped running, or was deleted."""
        for listener in self.on_power:
            listener(vm)

    def notify_write(self, request: Request, resource_id: ResourceId, action: str, kind: WriteKind, scope: str) -> None:
        """Call the listeners with a synchronous write that took effect now."""
        self.operations.notify(
            WriteEvent(
                resource_id=resource_id.text,
                scope=scope,
                operation_name=action,
                kind=kind,
                method=request.method,
                url=request.url,
                at=self.now(),
                correlation_id=request.correlation_id,
                client_request_id=request.client_request_id,
                status="Succeeded",
            )
        )

    def reset(self, seed: int) -> None:
        """Return to a tenant without subscriptions, faults and history."""
        self.operations.reset(seed)
        self.store.clear()
        self.history.clear()
        self.faults.clear()
        self.registrations.clear()
        self.limits.clear()
        self.limits.enforced = self._throttle
        self.journal.clear()


def check_etag(request: Request, etag: str | None) -> None:
    """Refuse a write whose If-Match names another etag than the resource has."""
    wanted = request.headers.get("If-Match")
    if wanted not in (None, "*") and wanted != etag:
        raise precondition_failed()
