"""Reads what Azure allows: the app's roles, locks, provider registrations, and VM sizes.

Decides which request reads each. Does not know which actions are needed and which lock forbids a swap
(`domain/preflight`). Deny assignments are in none of the answers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from refresh.arm import rest
from refresh.arm.bodies import dict_at, list_at, text_at
from refresh.arm.clients import Clients
from refresh.arm.errors import unreadable
from refresh.domain.azure.locks import Lock
from refresh.domain.azure.sizes import Restriction, VmSize
from refresh.domain.preflight.rights import Grant
from refresh.domain.terms.names import region_key

_PERMISSIONS_VERSION = "2022-04-01"
_LOCKS_VERSION = "2020-05-01"
_SKUS_VERSION = "2021-07-01"
_PROVIDERS_VERSION = "2021-04-01"


class ArmAccess:
    """`gateways.Access` on the permissions and the locks API."""

    def __init__(self, clients: Clients) -> None:
        """Send requests through `clients`."""
        self._clients = clients

    async def read_grants(self, scope: str) -> Sequence[Grant]:
        """The permissions of the app's roles at `scope` (an id), those assigned above it included; all pages.

        https://learn.microsoft.com/rest/api/authorization/permissions/list-for-resource
        """
        path = f"{scope.rstrip('/')}/providers/Microsoft.Authorization/permissions"
        return [grant_from_arm(body) async for body in rest.every(self._clients.rest, path, _PERMISSIONS_VERSION)]

    async def list_locks(self, scope: str) -> Sequence[Lock]:
        """The locks at `scope` (an id), above it and below it; all pages.

        https://learn.microsoft.com/rest/api/resources/management-locks/list-by-scope; without `$filter=atScope()` those
        below are listed too: https://learn.microsoft.com/powershell/module/az.resources/get-azresourcelock#-atscope
        """
        path = f"{scope.rstrip('/')}/providers/Microsoft.Authorization/locks"
        return [lock_from_arm(body) async for body in rest.every(self._clients.rest, path, _LOCKS_VERSION)]

    async def read_registration(self, subscription: str, namespace: str) -> str:
        """The registration state of a subscription (its id) for a provider. Unavailable when the answer has none.

        https://learn.microsoft.com/rest/api/resources/providers/get
        """
        path = f"/subscriptions/{subscription}/providers/{namespace}"
        answer = await rest.get(self._clients.rest, path, _PROVIDERS_VERSION)
        state = text_at(rest.json_of(answer), "registrationState")
        if state is None:
            raise unreadable("a provider without a registration state")
        return state

    async def list_sizes(self, subscription: str, location: str) -> Sequence[VmSize]:
        """The VM sizes of a region (`westeurope`), with what forbids the subscription to use them; all pages.

        https://learn.microsoft.com/rest/api/compute/resource-skus/list
        """
        path = f"/subscriptions/{subscription}/providers/Microsoft.Compute/skus"
        where = {"$filter": f"location eq '{location}'"}
        return [
            size_from_arm(body, location)
            async for body in rest.every(self._clients.rest, path, _SKUS_VERSION, **where)
            if text_at(body, "resourceType") == "virtualMachines"
        ]


def size_from_arm(body: object, location: str) -> VmSize:
    """One VM size; a capability that is absent or cannot be read is one that the size does not have."""
    capabilities = {text_at(each, "name"): text_at(each, "value") or "" for each in list_at(body, "capabilities")}
    return VmSize(
        name=text_at(body, "name") or "",
        takes_premium=capabilities.get("PremiumIO", "").lower() == "true",
        temporary_mb=_number(capabilities.get("MaxResourceVolumeMB", "")),
        nvme_mib=_number(capabilities.get("NvmeDiskSizeInMiB", "")),
        zones=tuple(zone for each in list_at(body, "locationInfo") for zone in _texts(each, "zones")),
        restrictions=tuple(_restrictions(body, location)),
    )


def _restrictions(body: object, location: str) -> Iterator[Restriction]:
    for each in list_at(body, "restrictions"):
        where = dict_at(each, "restrictionInfo")
        is_zonal = (text_at(each, "type") or "").lower() == "zone"
        zones = _texts(where, "zones") if is_zonal else ()
        regions = [region_key(name) for name in _texts(where, "locations")]
        elsewhere = bool(regions) and region_key(location) not in regions
        if not elsewhere and (zones or not is_zonal):
            yield Restriction(text_at(each, "reasonCode") or "restricted", zones)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0


def grant_from_arm(body: object) -> Grant:
    """One role's permissions; entries that are not texts are ignored."""
    return Grant(_texts(body, "actions"), _texts(body, "notActions"))


def lock_from_arm(body: object) -> Lock:
    """One lock. Unavailable for one without an id: the id names the locked scope."""
    lock_id = text_at(body, "id")
    if lock_id is None:
        raise unreadable("a lock without an id")
    return Lock(lock_id, text_at(body, "properties", "level") or "unknown")


def _texts(body: object, name: str) -> tuple[str, ...]:
    return tuple(each for each in list_at(body, name) if isinstance(each, str))
