"""Microsoft.Compute/virtualMachines: create, read, update, delete.

Decides the VM's model and how a write changes it. Leaves power to `vm_power.py`, the checks of an OS disk swap to
`vm_swap.py` and what answers show to `vm_bodies.py`.
https://learn.microsoft.com/rest/api/compute/virtual-machines
"""

from __future__ import annotations

import copy

from simulator.arm.core import errors
from simulator.arm.core.bodies import without
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
from simulator.arm.vms.vm_bodies import etag_header, indexed_vm, shown_view, shown_vm
from simulator.arm.vms.vm_defaults import (
    add_image_disks,
    boot_facts,
    complete_model,
    fill,
    make_disks,
    show_unmanaged_size,
)
from simulator.arm.vms.vm_first_boot import begin_first_boot, check_model, take_secrets
from simulator.arm.vms.vm_hibernation import check_changed_hibernation, check_new_hibernation
from simulator.arm.vms.vm_plans import check_new_plan, check_plan_kept
from simulator.arm.vms.vm_power import VmPower
from simulator.arm.vms.vm_profiles import complete_applications, complete_identity, complete_os_profile
from simulator.arm.vms.vm_refusals import check_max_price, check_placement
from simulator.arm.vms.vm_scenario_keys import scenario_keys
from simulator.arm.vms.vm_size_rules import check_new_vm, check_resize, size_name
from simulator.arm.vms.vm_swap import check_os_disk, is_swap
from simulator.arm.vms.vm_updates import (
    READ_ONLY,
    complete_update,
    first_answer,
    model_of_patch,
    model_of_put,
    only_tags_differ,
    settle_data_disks,
)

VM_TYPE = "Microsoft.Compute/virtualMachines"
_ACTION = f"{VM_TYPE}/write"

# Azure documents no page size for VM lists, only "use nextLink"; this one is small, so that tests meet several pages.
PAGE_SIZE = 50


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
            indexed=lambda record: indexed_vm(self._services, record),
            scenario_keys=scenario_keys,
        )

    def render(self, record: Record, request: Request | None = None) -> Json:
        """The VM as Azure answers it."""
        return shown_vm(self._services, record, request)

    def view(self, request: Request) -> Answer:
        """GET …/instanceView."""
        record = self._services.require(request.id, errors.resource_not_found(request.id.path_name, request.id.group))
        return Answer(200, shown_view(self._services, record, request))

    def put(self, request: Request) -> Answer:
        """Create a VM, or replace the model of an existing one."""
        record = self._services.store.get(request.id)
        check_tags(request.body.get("tags"))
        if record is None:
            return self._create(request)
        return self._update(request, record, model_of_put(record, request.body))

    def patch(self, request: Request) -> Answer:
        """Change parts of the model."""
        record = self._services.require(request.id, errors.resource_not_found(request.id.path_name, request.id.group))
        check_tags(request.body.get("tags"))
        return self._update(request, record, model_of_patch(record, request.body))

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
        record = Record(request.id, without(request.body, READ_ONLY))
        check_model(self._services, record)
        take_secrets(record)
        add_image_disks(self._services, record)
        complete_model(self._services, record)
        complete_os_profile(record)
        complete_applications(record)
        complete_identity(self._services, record, {})
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
            show_unmanaged_size(self._services, record)
            self._power.boot(record, at_once=True)
            self._power.settle(record, None)
            begin_first_boot(self._services, record, self._power.power_off_from_guest)

        work = Work("create", "create", created, lambda error: self._power.settle(record, error), _ACTION)
        operation = self._services.operations.begin(request, record.id, record.location, work)
        return accepted(request, operation, 201, first_answer(self.render(record, request), request.body))

    def _update(self, request: Request, record: Record, model: Json) -> Answer:
        """Replace the model by `model`; the body of the request is what the client asked to change."""
        state = vm_state(record)
        if state.busy:
            raise errors.conflict()
        check_etag(request, state.quoted_etag)
        if state.hibernated and request.body.keys() - {"tags", "location"}:
            # Documented: https://learn.microsoft.com/azure/virtual-machines/hibernate-resume (message not known).
            raise errors.not_allowed(
                f"VM '{record.id.name}' is hibernated and cannot be modified. Deallocate it first."
            )
        self._check(record, model, request.body)
        after = complete_update(self._services, record, model)
        if only_tags_differ(record, after):
            return self._update_at_once(request, record, after.body.get("tags"))
        resizes = state.power != "deallocated" and size_name(record.properties) != size_name(after.properties)
        old_disk = record.properties.get("storageProfile", {}).get("osDisk", {})
        swaps = is_swap(old_disk, after.properties.get("storageProfile", {}).get("osDisk", {}))
        before = copy.deepcopy(record.body)
        record.body = after.body
        record.properties["provisioningState"] = "Updating"
        state.etag += 1
        state.busy = True
        reboots = swaps and state.power == "running"
        if reboots:
            # Azure accepts a swap on a running VM and restarts it.
            self._power.go_down(record, "starting")

        def done() -> None:
            settle_data_disks(record)
            make_disks(self._services, record)
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
        answer = accepted(request, operation, 200, self.render(record, request))
        answer.headers |= etag_header(record, request)
        return answer

    def _update_at_once(self, request: Request, record: Record, tags: Json | None) -> Answer:
        """An update that changes tags or nothing needs no operation, but its answer shows one.

        Recorded by azure-cli (`test_vm_create_no_wait`, `test_vm_update_size`, 2023): 200 without Azure-AsyncOperation,
        with the state `Updating`; the next read shows `Succeeded`.
        """
        fault = self._services.faults.operation_fault("update", record.id.key)
        # Without an operation there is nothing that a newer one can preempt.
        if fault.error and fault.error["code"] != errors.preempted()["code"]:
            raise errors.ArmError(409, fault.error["code"], fault.error["message"], fault.error.get("target"))
        before = dict(record.body)
        if tags is not None and tags != record.body.get("tags"):
            record.body["tags"] = tags
            vm_state(record).etag += 1
        body = self.render(record, request)
        body["properties"]["provisioningState"] = "Updating"
        answer = Answer(200, body, delay_s=fault.duration_s or 0.0)
        answer.headers |= etag_header(record, request)
        if fault.nothing or request.nothing:
            record.body = before
        else:
            self._services.notify_write(request, record.id, _ACTION, "write", record.id.text)
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
