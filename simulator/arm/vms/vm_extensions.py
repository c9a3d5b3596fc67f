"""Microsoft.Compute/virtualMachines/extensions: extensions of a VM, whose work holds the VM in `Updating`.

Decides the writes of extensions and the work that the platform begins by itself, such as an automatic upgrade. Leaves
what a newer operation does to that work to `vm_power.py`. What an extension does in the guest is not simulated.
https://learn.microsoft.com/rest/api/compute/virtual-machine-extensions
https://learn.microsoft.com/azure/virtual-machines/automatic-extension-upgrade
"""

from __future__ import annotations

from dataclasses import dataclass

from simulator.arm.core import errors
from simulator.arm.core.bodies import merged, without
from simulator.arm.core.ids import parse_path
from simulator.arm.core.messages import Answer, Request
from simulator.arm.core.operations import Operation, Work, accepted
from simulator.arm.core.resource_types import ResourceType
from simulator.arm.core.services import Services
from simulator.arm.core.store import Json, Record
from simulator.arm.core.tag_rules import check_tags
from simulator.arm.core.write_events import WriteKind
from simulator.arm.state.disk_bodies import identify
from simulator.arm.state.vm_state import vm_state
from simulator.arm.vms.vm_power import VmPower

EXTENSION_TYPE = "Microsoft.Compute/virtualMachines/extensions"
_READ_ONLY = ("id", "name", "type")
# The extension whose work the scenario key `_extension_work_s` begins.
_PLATFORM_EXTENSION = "AzureMonitorLinuxAgent"


@dataclass(frozen=True)
class _Write:
    """One write of an extension: its operation, the state while it runs, and the extension's body at the end."""

    kind: str
    state: str
    body: Json | None


class VmExtensions:
    """The provider of VM extensions."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._power = VmPower(services)

    def resource_type(self) -> ResourceType:
        """The router's view of VM extensions."""
        return ResourceType(
            name=EXTENSION_TYPE,
            render=lambda record, request: record.body,
            put=self.put,
            patch=self.patch,
            delete=self.delete,
            fill=self.fill,
        )

    def fill(self, record: Record) -> None:
        """Complete a body of a scenario."""
        identify(record)
        record.properties.setdefault("provisioningState", "Succeeded")

    def put(self, request: Request) -> Answer:
        """Create or replace an extension."""
        is_new = self._services.store.get(request.id) is None
        return self._begin(
            request,
            _Write("extensionCreate", "Creating", request.body) if is_new else self._update(request.body),
            201 if is_new else 200,
        )

    def patch(self, request: Request) -> Answer:
        """Change an extension."""
        record = self._services.require(request.id, errors.resource_not_found(request.id.path_name, request.id.group))
        return self._begin(request, self._update(merged(record.body, request.body)), 200)

    def delete(self, request: Request) -> Answer:
        """Remove an extension."""
        if self._services.store.get(request.id) is None:
            return Answer(204)
        return self._begin(request, _Write("extensionDelete", "Deleting", None), 202)

    def work_by_itself(self, vm: Record, lasts_s: float) -> None:
        """Begin work of an extension without a request to ARM; ValueError when the VM cannot have it now."""
        state = vm_state(vm)
        if state.busy or state.power != "running":
            raise ValueError("_extension_work_s needs a running VM without an operation in progress")
        path = parse_path(f"{vm.id.text}/extensions/{_PLATFORM_EXTENSION}")
        correlation_id = self._services.guid("extension", vm.id)
        request = Request("PUT", path, {}, {}, {}, "", path.id.text, correlation_id, None, "platform")
        self._work(request, vm, self._update({"location": vm.location}), lasts_s)

    def _update(self, body: Json) -> _Write:
        return _Write("extensionUpdate", "Updating", body)

    def _begin(self, request: Request, write: _Write, status: int) -> Answer:
        assert request.id.parent is not None
        vm = self._services.require(request.id.parent, errors.parent_not_found(request.id.parent.path_name))
        check_tags(request.body.get("tags"))
        if vm_state(vm).busy:
            raise errors.conflict()
        if vm_state(vm).power != "running":
            raise errors.vm_not_running()
        operation = self._work(request, vm, write, None)
        record = self._services.store.get(request.id)
        return accepted(request, operation, status, record.body if record and write.body is not None else None)

    def _work(self, request: Request, vm: Record, write: _Write, lasts_s: float | None) -> Operation:
        """Hold the VM in `Updating` until the extension has done its work."""
        state, store = vm_state(vm), self._services.store
        if write.body is not None:
            record = store.put(Record(request.id, without(write.body, _READ_ONLY)))
            record.properties.pop("protectedSettings", None)  # no answer of ARM has them
            identify(record)
        record = self._services.require(request.id, errors.resource_not_found(request.id.path_name, request.id.group))
        self._services.history.remember(vm.id)
        record.properties["provisioningState"] = write.state
        state.busy = True
        state.etag += 1
        vm.properties["provisioningState"] = "Updating"

        def end(error: Json | None) -> None:
            self._services.history.remember(vm.id)
            record.properties["provisioningState"] = "Failed" if error else "Succeeded"
            if write.body is None and error is None:
                store.delete(record, self._services.clock.time())
            listed = [each for each in vm.body.get("resources", []) if str(each.get("id", "")).lower() != record.id.key]
            vm.body["resources"] = [*listed, record.body] if store.get(record.id) is record else listed
            self._power.settle(vm, error)

        verb: WriteKind = "delete" if write.body is None else "write"
        action = f"{EXTENSION_TYPE}/{verb}"
        work = Work(write.kind, "extension", lambda: end(None), end, action, verb, lasts_s=lasts_s)
        return self._services.operations.begin(request, record.id, vm.location, work)
