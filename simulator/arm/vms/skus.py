"""`GET /subscriptions/{id}/providers/Microsoft.Compute/skus`: capabilities of VM sizes, by region.

Decides the entry of a size and how the list is filtered and paged. Leaves the set of sizes to `vm_sizes.py`.
https://learn.microsoft.com/rest/api/compute/resource-skus/list
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from simulator.arm.core import errors, locations
from simulator.arm.core.messages import Answer, Request
from simulator.arm.core.store import Json, normal_location
from simulator.arm.state.vm_sizes import SIZES, Size

COLLECTION = "microsoft.compute/skus"
_PAGE_SIZE = 200
_FILTER = re.compile(r"\s*location\s+eq\s+'([^']*)'\s*", re.IGNORECASE)


def listing(request: Request) -> Answer:
    """The SKUs of every region, or of the one in `$filter=location eq '…'`, the only filter that Azure accepts."""
    location_filter = request.query.get("$filter")
    wanted = None
    if location_filter:
        match = _FILTER.fullmatch(location_filter)
        if match is None:
            raise errors.ArmError(
                400, "InvalidFilterInQueryString", f"Invalid $filter '{location_filter}' in the query string."
            )
        wanted = normal_location(match.group(1))
    listed = list(_listed(wanted))
    token = request.query.get("$skiptoken", "0")
    start = int(token) if token.isdigit() else 0
    body: Json = {"value": listed[start : start + _PAGE_SIZE]}
    if start + _PAGE_SIZE < len(listed):
        query = "&".join(f"{key}={value}" for key, value in request.query.items() if key != "$skiptoken")
        body["nextLink"] = f"{request.url.partition('?')[0]}?{query}&$skiptoken={start + _PAGE_SIZE}"
    return Answer(200, body, counted=False)


def _listed(wanted: str | None) -> Iterator[Json]:
    for location in locations.names():
        if wanted in (None, location):
            for size in SIZES.values():
                yield _sku(size, location)


def _sku(size: Size, location: str) -> Json:
    zones = ["1", "2", "3"] if locations.has_zones(location) else []
    capabilities = {
        "vCPUs": size.cpus,
        "vCPUsAvailable": size.cpus,
        "MemoryGB": size.memory_gb,
        "MaxDataDiskCount": size.data_disks,
        "PremiumIO": size.premium,
        "HyperVGenerations": ",".join(size.generations),
        "CpuArchitectureType": size.architecture,
        "DiskControllerTypes": ",".join(size.controllers),
        "EphemeralOSDiskSupported": size.ephemeral,
        "EncryptionAtHostSupported": True,
        "AcceleratedNetworkingEnabled": True,
        "TrustedLaunchDisabled": "V2" not in size.generations or size.architecture == "Arm64",
        "HibernationSupported": size.hibernates,
        "MaxResourceVolumeMB": size.temporary_mb,
    }
    if size.nvme_mib:
        # Only sizes with local NVMe disks have these.
        capabilities |= {"NvmeDiskSizeInMiB": size.nvme_mib, "NvmeSizePerDiskInMiB": size.nvme_disk_mib}
    if size.confidential:
        capabilities["ConfidentialComputingType"] = size.confidential
    restriction = {
        "type": "Location",
        "values": [location],
        "restrictionInfo": {"locations": [location], **({"zones": zones} if zones else {})},
        "reasonCode": "NotAvailableForSubscription",
    }
    return {
        "resourceType": "virtualMachines",
        "name": size.name,
        "tier": "Standard",
        "size": size.name.partition("_")[2],
        "family": size.family,
        "locations": [location],
        "locationInfo": [{"location": location, "zones": zones, "zoneDetails": []}],
        "capabilities": [{"name": name, "value": str(value)} for name, value in capabilities.items()],
        "restrictions": [restriction] if size.restricted else [],
    }
