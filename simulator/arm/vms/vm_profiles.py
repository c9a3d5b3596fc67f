"""Defaults that ARM adds to a VM's OS profile, identity and applications.

Decides the values that recorded VMs have and their requests had not: the live tests of azure-cli (`test_vm_create_*`,
2023-24) and of the .NET and Java libraries (VM PUT, 2019-21). Does not know disks.
"""

from __future__ import annotations

from simulator.arm.core.services import TENANT_ID, Services
from simulator.arm.core.store import Json, Record

_ASSESSMENT = "ImageDefault"


def complete_os_profile(record: Record) -> None:
    """Add the defaults of a new VM's OS profile; a VM from an attached disk has none."""
    profile: Json | None = record.properties.get("osProfile")
    if profile is None:
        return
    windows = record.properties["storageProfile"]["osDisk"]["osType"] == "Windows"
    configuration: Json = profile.setdefault("windowsConfiguration" if windows else "linuxConfiguration", {})
    configuration.setdefault("provisionVMAgent", True)
    patch_mode = "ImageDefault"
    if windows:
        automatic = configuration.setdefault("enableAutomaticUpdates", True)
        patch_mode = "AutomaticByOS" if automatic else "Manual"
    else:
        configuration.setdefault("disablePasswordAuthentication", False)
    patching = configuration.setdefault("patchSettings", {})
    patching.setdefault("patchMode", patch_mode)
    patching.setdefault("assessmentMode", _ASSESSMENT)
    profile.setdefault("secrets", [])
    profile.setdefault("allowExtensionOperations", configuration["provisionVMAgent"])
    profile.setdefault("requireGuestProvisionSignal", True)


def complete_identity(services: Services, record: Record, before: Json) -> None:
    """Add the ids of the identities that the model names; those in `before`, the identity until now, stay."""
    identity: Json = record.body.get("identity") or {}
    if "systemassigned" in str(identity.get("type", "")).lower():
        made: Json = {"principalId": services.guid("principalId", record.id), "tenantId": TENANT_ID}
        identity |= {key: before.get(key, value) for key, value in made.items()}
    assigned: Json = identity.get("userAssignedIdentities") or {}
    known = {key.lower(): value for key, value in (before.get("userAssignedIdentities") or {}).items()}
    for key, value in assigned.items():
        ids = {name: services.guid(f"{name}|{key.lower()}", record.id) for name in ("principalId", "clientId")}
        assigned[key] = known.get(key.lower()) or value or ids


def complete_applications(record: Record) -> None:
    """Add the defaults of the gallery applications; a profile without any is dropped."""
    applications = (record.properties.get("applicationProfile") or {}).get("galleryApplications")
    if not applications:
        record.properties.pop("applicationProfile", None)
        return
    for application in applications:
        application.setdefault("manuallyManaged", False)
        application.setdefault("treatFailureAsDeploymentFailure", False)
        application.setdefault("enableAutomaticUpgrade", False)
