"""The instance view: power, provisioning, disks and guest agent of a VM at this moment.

Decides the view, as a pure function of the VM's state and the time; its texts come from recorded views. Changes
nothing.
"""

from __future__ import annotations

from datetime import datetime

from simulator.arm.core.messages import stamp
from simulator.arm.core.store import Json, Record
from simulator.arm.state.vm_state import VmState, vm_state

_PROVISIONING = {"Creating": "Creating", "Updating": "Updating", "Deleting": "Deleting"}


def instance_view(record: Record, now: datetime) -> Json:
    """The instance view of a VM."""
    state = vm_state(record)
    agent = _agent(state, now)
    view: Json = {}
    if agent is not None and agent["vmAgentVersion"] != "Unknown" and not state.generalized:
        view |= {key: state.guest[key] for key in ("computerName", "osName", "osVersion") if key in state.guest}
    if agent is not None:
        view["vmAgent"] = agent
    view["disks"] = _disks(record, state, now)
    if agent is not None and state.guest.get("extensions"):
        view["extensions"] = state.guest["extensions"]
    if (generation := state.guest.get("hyperVGeneration")) is not None:
        view["hyperVGeneration"] = generation
    if (health := _health(state, now)) is not None:
        view["vmHealth"] = {"status": health}
    view["statuses"] = _statuses(record, state, now)
    return view


def _agent(state: VmState, now: datetime) -> Json | None:
    """The `vmAgent` block: absent on a deallocated VM, an older report after a stop that kept the host."""
    if not state.has_agent or state.power == "deallocated":
        return None
    report = state.boot.report(now) if state.boot else None
    if report is None and state.earlier_report is not None and not state.is_unresponsive(now):
        report = state.earlier_report
    if report is not None:
        ready = _status("succeeded", "Info", "Ready", "Guest Agent is running", report)
        handlers = state.guest.get("extensionHandlers", [])
        version = state.guest.get("vmAgentVersion", "2.11.1.12")
        return {"vmAgentVersion": version, "statuses": [ready], "extensionHandlers": handlers}
    if state.boot is None and state.earlier_report is None and state.power == "starting":
        return None  # a new host has no status blob before the guest runs
    silent = state.earlier_report is not None
    message = "VM Agent is unresponsive." if silent else "VM status blob is found but not yet populated."
    not_ready = _status("Unavailable", "Warning", "Not Ready", message, now.replace(microsecond=0))
    return {"vmAgentVersion": "Unknown", "statuses": [not_ready]}


def _health(state: VmState, now: datetime) -> Json | None:
    """The status of the application health extension; None before the agent reports.

    https://learn.microsoft.com/azure/virtual-machine-scale-sets/virtual-machine-scale-sets-health-extension
    """
    boot = state.boot
    if not state.health_extension or boot is None or (report := boot.report(now)) is None:
        return None
    health_text = "healthy" if boot.healthy else "unhealthy"
    return {
        "code": f"HealthState/{health_text}",
        "level": "Info" if boot.healthy else "Error",
        "displayStatus": f"The VM is reporting itself as {health_text}",
        "time": report.isoformat(timespec="seconds"),
    }


def _status(code: str, level: str, display: str, message: str, at: datetime) -> Json:
    return {
        "code": f"ProvisioningState/{code}",
        "level": level,
        "displayStatus": display,
        "message": message,
        "time": at.isoformat(timespec="seconds"),
    }


def _disks(record: Record, state: VmState, now: datetime) -> list[Json]:
    storage = record.properties.get("storageProfile", {})
    provisioned = {
        "code": "ProvisioningState/succeeded",
        "level": "Info",
        "displayStatus": "Provisioning succeeded",
        "time": stamp(state.disks_at or now),
    }
    blocks = [storage.get("osDisk", {}), *storage.get("dataDisks", [])]
    return [_disk(block, provisioned) for block in blocks if block.get("name")]


def _disk(block: Json, provisioned: Json) -> Json:
    settings = block.get("encryptionSettings") or {}
    if not settings.get("enabled"):
        return {"name": block["name"], "statuses": [provisioned]}
    text = "Encryption is enabled on disk"
    encrypted = {"code": "EncryptionState/encrypted", "level": "Info", "displayStatus": text}
    return {"name": block["name"], "encryptionSettings": [settings], "statuses": [provisioned, encrypted]}


def _statuses(record: Record, state: VmState, now: datetime) -> list[Json]:
    statuses: list[Json] = []
    if state.generalized:
        statuses.append({"code": "OSState/generalized", "level": "Info", "displayStatus": "VM generalized"})
    provisioning = record.properties.get("provisioningState", "Succeeded")
    if provisioning in _PROVISIONING:
        text = _PROVISIONING[provisioning]
        statuses.append({"code": f"ProvisioningState/{text.lower()}", "level": "Info", "displayStatus": text})
    elif provisioning == "Failed":
        error = state.failure or {"code": "InternalExecutionError", "message": ""}
        statuses.append(
            {
                "code": f"ProvisioningState/failed/{error['code']}",
                "level": "Error",
                "displayStatus": "Provisioning failed",
                "message": error["message"],
                "time": stamp(state.changed_at or now),
            }
        )
    else:
        statuses.append(
            {
                "code": "ProvisioningState/succeeded",
                "level": "Info",
                "displayStatus": "Provisioning succeeded",
                "time": stamp(state.changed_at or now),
            }
        )
    power = {"code": f"PowerState/{state.power}", "level": "Info", "displayStatus": f"VM {state.power}"}
    # Documented: https://learn.microsoft.com/azure/virtual-machines/hibernate-resume
    hibernated = {"code": "HibernationState/Hibernated", "level": "Info", "displayStatus": "VM hibernated"}
    return [*statuses, power, *([hibernated] if state.hibernated else [])]
