"""Microsoft.Compute/virtualMachines: create, read, update, delete.

Decides the VM's model and how a write changes it. Leaves power to `vm_power.py`, the checks of an OS disk swap to
`vm_swap.py` and the instance view to `instance_view.py`.
https://learn.microsoft.com/rest/api/compute/virtual-machines
"""

from __future__ import annotations

import copy

from simulator.arm.core import errors
from simulator.arm.core.api_since import view_shown_in
from simulator.arm.core.bodies import merged, without
from simulator.arm.core.messages import Answer, Request
from simulator.arm.core.operations import Work, accepted
from simulator.arm.core.resource_types import ResourceType
from simulator.arm.core.services import Services, check_etag
from simulator.arm.core.store import Json, Record
from simulator.arm.core.tag_rules import check_tags
from simulator.arm.state.attachments import attached_disk, disk_blocks, release, sync_attachments
from simulator.arm.state.edge_zones import check_place_kept
from simulator.arm.state.local_disks import lose_local_disks
from simulator.arm.state.vm_state import vm_state
from simulator.arm.vms.boot_diagnostics import ACTION, BootDiagnostics
from simulator.arm.vms.instance_view import instance_view
from simulator.arm.vms.vm_defaults import boot_facts, complete_model, fill, make_disks
from simulator.arm.vms.vm_first_boot import begin_first_boot, check_model, take_secrets
from simulator.arm.vms.vm_hibernation import check_changed_hibernation, check_new_hibernation
from simulator.arm.vms.vm_plans import check_new_plan, check_plan_kept
from simulator.arm.vms.vm_power import VmPower
from simulator.arm.vms.vm_refusals import check_max_price, check_placement
from simulator.arm.vms.vm_scenario_keys import scenario_keys
from simulator.arm.vms.vm_size_rules import check_new_vm, check_resize, size_name
from simulator.arm.vms.vm_swap import check_os_disk, is_swap

VM_TYPE = "Microsoft.Compute/virtualMachines"
_ACTION = f"{VM_TYPE}/write"

# Azure documents no page size for VM lists, only "use nextLink"; this one is small, so that tests meet several pages.
PAGE_SIZE = 50

_READ_ONLY = ("id", "name", "type", "etag", "resources")
_READ_ONLY_PROPERTIES = ("vmId", "timeCreated", "provisioningState", "instanceView")
_KEPT_BY_PUT = ("vmId", "timeCreated", "provisioningState", "virtualMachineScaleSet")


class Vms:
    """The provider of virtual machines."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._power = VmPower(services)

    def resource_type(self) -> ResourceType:
        """The router's view of VMs."""
        return ResourceType(
            name=VM_TYPE,
            render=self.render,
            put=self.put,
            patch=self.patch,
            delete=self.delete,
            fill=lambda record: fill(self._services, record),
            actions={**self._power.actions(), ACTION: BootDiagnostics(self._services).retrieve},
            views={"instanceView": self.view},
            page_size=PAGE_SIZE,
            etag=lambda record: vm_state(record).quoted_etag,
            indexed=self._indexed,
            scenario_keys=scenario_keys,
        )

    def render(self, record: Record, request: Request | None = None) -> Json:
        """The VM as Azure answers it; `$expand=instanceView` adds the view."""
        body = {**record.body, "etag": vm_state(record).quoted_etag}
        properties = {**record.properties}
        if "storageProfile" in properties:
            properties["storageProfile"] = self._storage(record)
        if request is not None and request.expands("instanceView"):
            properties["instanceView"] = self._view_of(record, request)
        return {**body, "properties": properties}

    def view(self, request: Request) -> Answer:
        """GET …/instanceView."""
        record = self._services.require(request.id, errors.resource_not_found(request.id.path_name, request.id.group))
        return Answer(200, self._view_of(record, request))

    def _view_of(self, record: Record, request: Request) -> Json:
        return view_shown_in(instance_view(record, self._services.now()), request.api_version)

    def put(self, request: Request) -> Answer:
        """Create a VM, or replace the model of an existing one."""
        record = self._services.store.get(request.id)
        check_tags(request.body.get("tags"))
        if record is None:
            return self._create(request)
        model = without(request.body, _READ_ONLY)
        given = without(model.get("properties", {}), _READ_ONLY_PROPERTIES)
        kept = {key: record.properties[key] for key in _KEPT_BY_PUT if key in record.properties}
        storage, old_storage = given.setdefault("storageProfile", {}), record.properties.get("storageProfile", {})
        for key in ("imageReference", "osDisk", "dataDisks"):
            # A PUT without one of these keys keeps it: the CLI always leaves imageReference out.
            if key not in storage and key in old_storage:
                storage[key] = copy.deepcopy(old_storage[key])
        storage["osDisk"] = merged(old_storage.get("osDisk", {}), storage.get("osDisk", {}))
        model["properties"] = given | kept
        for key in ("zones", "identity", "tags"):
            if key not in model and key in record.body:
                model[key] = record.body[key]
        return self._update(request, record, model, request.body)

    def patch(self, request: Request) -> Answer:
        """Change parts of the model."""
        record = self._services.require(request.id, errors.resource_not_found(request.id.path_name, request.id.group))
        check_tags(request.body.get("tags"))
        change = without(request.body, (*_READ_ONLY, "tags", "location"))
        change["properties"] = without(change.get("properties", {}), _READ_ONLY_PROPERTIES)
        model = merged(record.body, change)
        if "tags" in request.body:
            model["tags"] = dict(request.body["tags"] or {})
        return self._update(request, record, model, request.body)

    def delete(self, request: Request) -> Answer:
        """Delete the VM and its disks with the deleteOption `Delete`."""
        record = self._services.store.get(request.id)
        if record is None:
            return Answer(204)
        check_etag(request, vm_state(record).quoted_etag)
        state = vm_state(record)
        if record.properties.get("provisioningState") != "Deleting":
            # Reported for a VM that was still being created: https://github.com/Azure/azure-sdk-for-java/issues/1783
            self._services.operations.preempt(record.id)
        record.properties["provisioningState"] = "Deleting"
        state.busy = True

        def gone() -> None:
            for block in disk_blocks(record):
                if (disk := attached_disk(self._services, block)) is None:
                    continue
                release(self._services, disk)
                if block.get("deleteOption") == "Delete":
                    self._services.store.delete(disk, self._services.clock.time())
            for extension in self._services.store.below(record.id):
                self._services.store.delete(extension, self._services.clock.time())
            self._services.store.delete(record, self._services.clock.time())
            self._services.journal.up(record.id.key, self._services.now())
            self._services.power_changed(record)

        def failed(error: Json | None) -> None:
            self._power.settle(record, error)

        work = Work("delete", "delete", gone, failed, f"{VM_TYPE}/delete", "delete")
        return accepted(request, self._services.operations.begin(request, record.id, record.location, work), 202)

    def _create(self, request: Request) -> Answer:
        if not request.body.get("location"):
            raise errors.location_required()
        record = Record(request.id, without(request.body, _READ_ONLY))
        check_model(self._services, record)
        take_secrets(record)
        complete_model(self._services, record)
        facts = boot_facts(self._services, record)
        check_new_vm(record, facts)
        check_new_plan(self._services, record, facts)
        check_new_hibernation(record, facts)
        make_disks(self._services, record)
        record.properties["provisioningState"] = "Creating"
        state = vm_state(record)
        state.busy = True
        state.set_power("starting", self._services.now())
        self._services.store.put(record)
        sync_attachments(self._services, record)

        def created() -> None:
            self._power.boot(record, at_once=True)
            self._power.settle(record, None)
            begin_first_boot(self._services, record, self._power.power_off_from_guest)

        work = Work("create", "create", created, lambda error: self._power.settle(record, error), _ACTION)
        operation = self._services.operations.begin(request, record.id, record.location, work)
        return accepted(request, operation, 201, self.render(record))

    def _update(self, request: Request, record: Record, model: Json, sent: Json) -> Answer:
        """Replace the model by `model`; `sent` is the body of the request."""
        state = vm_state(record)
        if state.busy:
            raise errors.conflict()
        check_etag(request, state.quoted_etag)
        if state.hibernated and sent.keys() - {"tags", "location"}:
            # Documented: https://learn.microsoft.com/azure/virtual-machines/hibernate-resume (message not known).
            raise errors.not_allowed(
                f"VM '{record.id.name}' is hibernated and cannot be modified. Deallocate it first."
            )
        self._check(record, model, sent)
        resizes = state.power != "deallocated" and size_name(record.properties) != size_name(model["properties"])
        old_disk = record.properties.get("storageProfile", {}).get("osDisk", {})
        new_disk = model.get("properties", {}).get("storageProfile", {}).get("osDisk", {})
        swaps = is_swap(old_disk, new_disk)
        before = copy.deepcopy(record.body)
        record.body = {**record.body, **model}
        self._drop_derived(record)
        record.properties["provisioningState"] = "Updating"
        state.etag += 1
        state.busy = True
        reboots = swaps and state.power == "running"
        if reboots:
            # Azure accepts a swap on a running VM and restarts it.
            self._power.go_down(record, "starting")

        def done() -> None:
            sync_attachments(self._services, record)
            if swaps:
                state.etag += 1
                state.disks_at = self._services.now()
            if resizes:
                lose_local_disks(record, "resize", self._services.now())
            if reboots:
                self._power.boot(record)
            self._power.settle(record, None)

        def failed(error: Json | None) -> None:
            # Tags written meanwhile stay: they are not part of the failed update.
            record.body = {**before, "tags": record.body.get("tags", {})}
            if reboots:
                self._power.boot(record)
            self._power.settle(record, error)

        takes = "restart" if reboots else "swap" if swaps else "update"
        if takes == "update" and state.power == "deallocated" and request.method == "PUT":
            takes = "updateDeallocated"
        work = Work("update", takes, done, failed, _ACTION)
        operation = self._services.operations.begin(request, record.id, record.location, work)
        answer = accepted(request, operation, 200, self.render(record))
        answer.headers["etag"] = state.quoted_etag
        return answer

    def _check(self, record: Record, model: Json, sent: Json) -> None:
        location = sent.get("location")
        if location and location.replace(" ", "").lower() != record.location:
            raise errors.location_invalid(record.id.path_name, record.location, location)
        properties = sent.get("properties") or {}
        check_place_kept(record, sent)
        check_plan_kept(record, sent)
        check_placement(record, properties)
        wanted = (properties.get("storageProfile") or {}).get("osDisk") or {}
        check_os_disk(self._services, record, record.properties.get("storageProfile", {}).get("osDisk", {}), wanted)
        check_max_price(record, properties)
        check_resize(self._services, record, model)
        check_changed_hibernation(self._services, record, model)
        if "tags" in model:
            check_tags(model["tags"])

    def _drop_derived(self, record: Record) -> None:
        """Drop size and SKU that a client sends for an existing managed disk: they belong to the disk."""
        for block in disk_blocks(record):
            if attached_disk(self._services, block) is not None:
                block.pop("diskSizeGB", None)
                block["managedDisk"].pop("storageAccountType", None)

    def _storage(self, record: Record) -> Json:
        """The storage profile with the disk size and SKU that Azure adds while the VM has a host."""
        storage: Json = record.properties["storageProfile"]
        if vm_state(record).power == "deallocated":
            return storage
        data = [self._disk_block(block) for block in storage.get("dataDisks", [])]
        return {**storage, "osDisk": self._disk_block(storage.get("osDisk", {})), "dataDisks": data}

    def _disk_block(self, block: Json) -> Json:
        disk = attached_disk(self._services, block)
        if disk is None:
            return block
        sku = disk.body.get("sku", {}).get("name")
        managed = {**block["managedDisk"], "storageAccountType": sku}
        return {**block, "managedDisk": managed, "diskSizeGB": disk.properties.get("diskSizeGB")}

    def _indexed(self, record: Record) -> Json:
        """The VM as Resource Graph returns it: with its power state under `properties.extended`."""
        body, power = self.render(record), vm_state(record).power
        shown = {"code": f"PowerState/{power}", "displayStatus": f"VM {power}", "level": "Info"}
        extended = {"instanceView": {"powerState": shown}}
        return {**body, "properties": {**body["properties"], "extended": extended}}
