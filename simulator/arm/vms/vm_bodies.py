"""A VM in answers: its body, its instance view and its entry in Resource Graph.

Decides what an answer shows beside the model, and what an older api-version leaves out. Does not change a VM.
"""

from __future__ import annotations

from simulator.arm.core.api_since import shows_etag, view_shown_in, vm_shown_in
from simulator.arm.core.messages import Request
from simulator.arm.core.services import Services
from simulator.arm.core.store import Json, Record
from simulator.arm.state.attachments import attached_disk
from simulator.arm.state.vm_state import vm_state
from simulator.arm.vms.instance_view import instance_view


def shown_vm(services: Services, record: Record, request: Request | None) -> Json:
    """The VM as Azure answers it; `$expand=instanceView` adds the view, `$expand=userData` the user data."""
    body, properties = {**record.body}, {**record.properties}
    if request is None or shows_etag(request.api_version):
        body["etag"] = vm_state(record).quoted_etag
    if request is None or not request.expands("userData"):
        properties.pop("userData", None)
    if "storageProfile" in properties:
        properties["storageProfile"] = _storage(services, record)
    if request is not None and request.expands("instanceView"):
        properties["instanceView"] = shown_view(services, record, request)
    return {**body, "properties": vm_shown_in(properties, request.api_version) if request else properties}


def shown_view(services: Services, record: Record, request: Request) -> Json:
    """The instance view that answers a request."""
    return view_shown_in(instance_view(record, services.now()), request.api_version)


def indexed_vm(services: Services, record: Record) -> Json:
    """The VM as Resource Graph returns it: with its power state under `properties.extended`."""
    body, power = shown_vm(services, record, None), vm_state(record).power
    shown = {"code": f"PowerState/{power}", "displayStatus": f"VM {power}", "level": "Info"}
    extended = {"instanceView": {"powerState": shown}}
    return {**body, "properties": {**body["properties"], "extended": extended}}


def etag_header(record: Record, request: Request) -> dict[str, str]:
    """The header of the answer to a write, where the api-version has it."""
    return {"etag": vm_state(record).quoted_etag} if shows_etag(request.api_version) else {}


def _storage(services: Services, record: Record) -> Json:
    """The storage profile with the disk size and SKU that Azure adds while the VM has a host."""
    storage: Json = record.properties["storageProfile"]
    if vm_state(record).power == "deallocated":
        return storage
    data = [_disk_block(services, block) for block in storage.get("dataDisks", [])]
    return {**storage, "osDisk": _disk_block(services, storage.get("osDisk", {})), "dataDisks": data}


def _disk_block(services: Services, block: Json) -> Json:
    disk = attached_disk(services, block)
    if disk is None:
        return block
    sku = disk.body.get("sku", {}).get("name")
    managed = {**block["managedDisk"], "storageAccountType": sku}
    return {**block, "managedDisk": managed, "diskSizeGB": disk.properties.get("diskSizeGB")}
