"""Rate-limit counters: how many requests are left, sent with every answer of ARM and its providers.

Decides which counters a request uses, how they fall and refill by the clock, and, when they are enforced, which request
has to wait and how long. By default the counters appear in headers and are not enforced. Azure counts per region; here
all regions of a subscription share one counter.
Sizes: https://learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling,
https://learn.microsoft.com/azure/virtual-machines/compute-throttling-limits, and recorded answers of 2024-25.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from math import ceil

from simulator.arm.core import errors
from simulator.clock import Clock


@dataclass(frozen=True)
class Limit:
    """A counter: its name, its size and its refill per minute; `per_resource`: each resource has its own."""

    name: str
    size: int
    per_minute: float
    per_resource: bool = False


def _windows(name: str, three_minutes: int, thirty_minutes: int) -> tuple[Limit, ...]:
    return (
        Limit(f"{name}3Min", three_minutes, three_minutes / 3),
        Limit(f"{name}30Min", thirty_minutes, thirty_minutes / 30),
    )


def _vm(name: str, size: int, per_minute: float, resource_size: int, resource_per_minute: float) -> tuple[Limit, ...]:
    return (
        Limit(f"{name}SubscriptionMaximum", size, per_minute),
        Limit(f"{name}Resource", resource_size, resource_per_minute, per_resource=True),
    )


_PUT_VM = _vm("PutVM", 1500, 500, 12, 4)
_UPDATE_VM = _vm("UpdateVM", 1500, 500, 12, 4)
_DELETE_VM = _vm("DeleteVM", 1500, 500, 12, 4)
_LOW_COST_GET_VM = _vm("LowCostGet", 24000, 8000, 36, 12)
_VM = "microsoft.compute/virtualmachines"
_DISK = "microsoft.compute/disks"
_GALLERY = "microsoft.compute/galleries"
_IMAGE = "microsoft.compute/galleries/images"
_VERSION = "microsoft.compute/galleries/images/versions"

# (method, lower-case type, "" | "list" | "action") -> counters in the order Azure sends them.
_RESOURCE_LIMITS: dict[tuple[str, str, str], tuple[Limit, ...]] = {
    ("GET", _VM, ""): _LOW_COST_GET_VM,
    ("GET", _VM, "list"): (Limit("HighCostGetSubscriptionMaximum", 900, 300),),
    ("PUT", _VM, ""): _PUT_VM,
    ("PATCH", _VM, ""): _UPDATE_VM,
    ("DELETE", _VM, ""): _DELETE_VM,
    ("POST", _VM, "deallocate"): _DELETE_VM,
    ("POST", _VM, "simulateeviction"): _DELETE_VM,
    ("POST", _VM, "retrievebootdiagnosticsdata"): _LOW_COST_GET_VM,
    ("POST", _VM, "action"): _UPDATE_VM,
    ("GET", _DISK, ""): _windows("LowCostGet", 15000, 120000),
    ("GET", _DISK, "list"): _windows("HighCostGet", 240, 1920),
    ("PUT", _DISK, ""): _windows("CreateUpdateDisks", 3000, 25000),
    ("PATCH", _DISK, ""): _windows("CreateUpdateDisks", 3000, 25000),
    ("DELETE", _DISK, ""): _windows("DeleteDisks", 3000, 24000),
    ("GET", _GALLERY, ""): _windows("GetGallery", 350, 2500),
    ("GET", _GALLERY, "list"): _windows("ListGalleryInResourceGroup", 100, 1000),
    ("PUT", _GALLERY, ""): _windows("CreateUpdateGallery", 50, 300),
    ("PATCH", _GALLERY, ""): _windows("CreateUpdateGallery", 50, 300),
    ("POST", _GALLERY, "share"): _windows("PostShareGallery", 10, 60),
    ("DELETE", _GALLERY, ""): _windows("DeleteGallery", 50, 300),
    ("GET", _IMAGE, ""): _windows("GetGalleryImage", 600, 3000),
    ("GET", _IMAGE, "list"): _windows("ListGalleryImagesInGallery", 1500, 10000),
    ("PUT", _IMAGE, ""): _windows("CreateUpdateGalleryImage", 150, 750),
    ("PATCH", _IMAGE, ""): _windows("CreateUpdateGalleryImage", 150, 750),
    ("DELETE", _IMAGE, ""): _windows("DeleteGalleryImage", 50, 300),
    ("GET", _VERSION, ""): _windows("GetGalleryImageVersion", 2000, 10000),
    ("GET", _VERSION, "list"): _windows("ListGalleryImageVersionsInGalleryImage", 1500, 10000),
    ("PUT", _VERSION, ""): _windows("CreateUpdateGalleryImageVersion", 375, 1200),
    ("PATCH", _VERSION, ""): _windows("CreateUpdateGalleryImageVersion", 375, 1200),
    ("DELETE", _VERSION, ""): _windows("DeleteGalleryImageVersion", 150, 1000),
    ("GET", "microsoft.compute/images", ""): (Limit("GetImagesSubscriptionMaximum", 360, 120),),
    ("GET", "microsoft.compute/images", "list"): (Limit("HighCostGetImagesSubscriptionMaximum", 90, 30),),
    ("PUT", "microsoft.compute/images", ""): (Limit("CreateImagesSubscriptionMaximum", 60, 20),),
    ("DELETE", "microsoft.compute/images", ""): (Limit("DeleteImagesSubscriptionMaximum", 120, 40),),
    ("GET", "microsoft.compute/snapshots", ""): _windows("LowCostGet", 15000, 120000),
    ("GET", "microsoft.compute/snapshots", "list"): _windows("HighCostGet", 240, 1920),
    ("PUT", "microsoft.compute/snapshots", ""): _windows("HighCostSnapshotCreateHydrate", 1000, 8000),
    ("DELETE", "microsoft.compute/snapshots", ""): _windows("DeleteDisks", 3000, 24000),
    ("GET", "operations", ""): (
        Limit("GetOperationResource", 45, 15, per_resource=True),
        Limit("GetOperationSubscriptionMaximum", 15000, 5000),
    ),
    ("GET", "diskoperations", ""): _windows("GetOperation", 50000, 400000),
    ("GET", "capsoperations", ""): _windows("GetOperationStatus", 5000, 15000),
}

# ARM's own counters of a caller in a subscription: (size, refill per second). The counters of all callers together are
# fifteen times as large.
_SUBSCRIPTION_LIMITS = {"reads": (250, 25), "writes": (200, 10), "deletes": (200, 10)}
_GLOBAL_FACTOR = 15
_EPSILON = 1e-6


class RateLimits:
    """Counters that fall with every request and refill by the clock; `enforced`: an empty one refuses a request."""

    def __init__(self, clock: Clock, *, enforced: bool = False) -> None:
        self._clock = clock
        self._levels: dict[str, tuple[float, float]] = {}
        self.enforced = enforced

    def check_caller(self, method: str, subscription: str, principal: str) -> None:
        """Refuse a request when the caller or the subscription has no token left: ArmError 429 with Retry-After."""
        if not self.enforced:
            return
        kind = _kind_of(method)
        for name, size, per_s in _subscription_buckets(kind, subscription, principal):
            if wait_s := self._wait_s(name, size, per_s):
                raise errors.caller_throttled(subscription, principal, kind[:-1], wait_s)

    def check_resource(self, method: str, kind: str, what: str, subscription: str, resource_key: str) -> None:
        """Refuse a request when the provider has no token left: ArmError 429 with Retry-After and counters."""
        if not self.enforced:
            return
        for limit in _limits(method, kind, what):
            name, per_s = _name_of(limit, subscription, resource_key), limit.per_minute / 60
            if not (wait_s := self._wait_s(name, limit.size, per_s)):
                continue
            now = self._clock.now()
            measured = {
                "operationGroup": limit.name,
                "startTime": now.isoformat(),
                "endTime": (now + timedelta(seconds=wait_s)).isoformat(),
                "allowedRequestCount": limit.size,
                "measuredRequestCount": limit.size + 1,
            }
            error = errors.provider_throttled(limit.name, measured, wait_s)
            error.headers["x-ms-ratelimit-remaining-resource"] = f"Microsoft.Compute/{limit.name};0"
            raise error

    def subscription_headers(self, method: str, subscription: str, principal: str) -> dict[str, str]:
        """Count a request against the caller and the subscription and return the headers of these counters."""
        kind = _kind_of(method)
        own, everyone = (self._draw(*bucket) for bucket in _subscription_buckets(kind, subscription, principal))
        prefix = "x-ms-ratelimit-remaining-subscription"
        return {f"{prefix}-{kind}": str(own), f"{prefix}-global-{kind}": str(everyone)}

    def resource_header(
        self, method: str, kind: str, what: str, subscription: str, resource_key: str
    ) -> dict[str, str]:
        """Count a request against the provider (`what`: "", "list" or an action) and return the header, if any."""
        drawn = []
        for limit in _limits(method, kind, what):
            left = self._draw(_name_of(limit, subscription, resource_key), limit.size, limit.per_minute / 60)
            drawn.append(f"Microsoft.Compute/{limit.name};{left}")
        return {"x-ms-ratelimit-remaining-resource": ",".join(drawn)} if drawn else {}

    def clear(self) -> None:
        """Refill every counter."""
        self._levels.clear()

    def _level(self, name: str, size: int, per_s: float) -> float:
        now = self._clock.time()
        level, at = self._levels.get(name, (float(size), now))
        return min(float(size), level + (now - at) * per_s)

    def _wait_s(self, name: str, size: int, per_s: float) -> int:
        """Whole seconds until the bucket has a token, 0 when it has one."""
        lacking = 1 - self._level(name, size, per_s)
        # A level that is below one token only by rounding counts as a token.
        return ceil(lacking / per_s) if lacking > _EPSILON else 0

    def _draw(self, name: str, size: int, per_s: float) -> int:
        level = max(self._level(name, size, per_s) - 1, 0.0)
        self._levels[name] = (level, self._clock.time())
        return int(level)


def _kind_of(method: str) -> str:
    return "reads" if method in ("GET", "HEAD") else "deletes" if method == "DELETE" else "writes"


def _subscription_buckets(kind: str, subscription: str, principal: str) -> list[tuple[str, int, float]]:
    size, per_s = _SUBSCRIPTION_LIMITS[kind]
    return [
        (f"{subscription}|{principal}|{kind}", size, per_s),
        (f"{subscription}|global|{kind}", size * _GLOBAL_FACTOR, per_s * _GLOBAL_FACTOR),
    ]


def _limits(method: str, kind: str, what: str) -> tuple[Limit, ...]:
    kind, what = kind.lower(), what.lower()
    limits = _RESOURCE_LIMITS.get((method, kind, what))
    if limits is None and what not in ("", "list"):
        limits = _RESOURCE_LIMITS.get((method, kind, "action"))
    return limits or ()


def _name_of(limit: Limit, subscription: str, resource_key: str) -> str:
    return f"{resource_key if limit.per_resource else subscription}|{limit.name}"
