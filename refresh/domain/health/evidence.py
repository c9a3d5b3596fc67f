"""What each health rung and each error code of Azure can and cannot prove about an OS disk.

Decides when a disk may be rejected: only on evidence from the guest on that disk, or on the silence of a guest that
gave the signal before the stop, for the whole health time of a VM that ran all the time. Everything else ends a swap
without a rejection. Does not know how a rung is read or when a step has failed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from refresh.domain.azure.capacity import CODES as CAPACITY_CODES
from refresh.domain.azure.refusals import DENIALS
from refresh.domain.health.ladder import Against, RungName


@dataclass(frozen=True)
class RungEvidence:
    """What a rung can prove. `needs_before`: it counts only where the VM had the signal before the stop."""

    proves_health: bool
    against: Against
    needs_before: bool = False


RUNGS: Mapping[RungName, RungEvidence] = {
    # A VM stops because somebody stops it, or the platform does (Spot, maintenance, auto-shutdown).
    RungName.POWER: RungEvidence(False, Against.NEVER),
    RungName.AGENT: RungEvidence(True, Against.AFTER_HEALTH_TIME, needs_before=True),
    RungName.COMPUTER_NAME: RungEvidence(False, Against.AFTER_HEALTH_TIME),
    RungName.PROBE: RungEvidence(True, Against.AFTER_HEALTH_TIME, needs_before=True),
    RungName.BOOT_LOG: RungEvidence(False, Against.AT_ONCE),
    # https://learn.microsoft.com/azure/service-health/resource-health-overview: the platform's view, not the guest's.
    RungName.RESOURCE_HEALTH: RungEvidence(False, Against.NEVER),
    # Unhealthy before the stop as well: not the new disk's doing.
    RungName.APPLICATION_HEALTH: RungEvidence(False, Against.AFTER_HEALTH_TIME, needs_before=True),
    # An OS disk attaches and detaches no data disk.
    RungName.DATA_DISKS: RungEvidence(False, Against.NEVER),
}


class Meaning(StrEnum):
    """What an error code of Azure means for a swap. None of them is evidence against a disk."""

    DENIED = "denied"
    """The app may not do it: a right, a policy or a lock."""
    NO_CAPACITY = "no-capacity"
    """The VM would start on no disk."""
    PASSING = "passing"
    """A fault of the platform, or another's operation: the same request may succeed when it is repeated."""
    REFUSED = "refused"
    """Azure refuses this change of this VM; a repetition is refused as well."""
    UNKNOWN = "unknown"
    """Not known to mean anything about the disk."""


_PASSING = (
    # https://github.com/kubernetes-sigs/cloud-provider-azure/pull/1356
    "OperationPreempted",
    "InternalExecutionError",
    "InternalOperationError",
    "InternalServerError",
    "NetworkingInternalOperationError",
    # https://learn.microsoft.com/troubleshoot/azure/virtual-machines/windows/allocation-failure
    "VMStartTimedOut",
    "OperationTimedOut",
    "GatewayTimeout",
    "ServiceUnavailable",
    "ServerTimeout",
    "StorageFailure/SocketException",
    # https://learn.microsoft.com/azure/virtual-machines/compute-throttling-limits
    "TooManyRequests",
    "OperationNotAllowedDueToThrottling",
    "SubscriptionRequestsThrottled",
    "Conflict",
    "AttachDiskWhileBeingDetached",
    "RetryableError",
    "RetryableErrorDueToAnotherOperation",
)
_REFUSED = (
    # Extensions and the agent work beside the OS disk, and their operations fail for hours in an outage.
    # https://learn.microsoft.com/azure/virtual-machines/windows/error-messages
    "OSProvisioningTimedOut",
    "OSProvisioningClientError",
    "OSProvisioningInternalError",
    "VMExtensionProvisioningError",
    "VMExtensionProvisioningTimeout",
    "VMExtensionHandlerNonTransientError",
    "VMAgentStatusCommunicationError",
    "PropertyChangeNotAllowed",
    "OperationNotAllowed",
    "InvalidParameter",
    "BadRequest",
    "NotFound",
    "ResourceNotFound",
    "VMMarketplaceInvalidInput",
)
CODES: Mapping[str, Meaning] = {
    **dict.fromkeys(DENIALS, Meaning.DENIED),
    **dict.fromkeys(sorted(CAPACITY_CODES), Meaning.NO_CAPACITY),
    **dict.fromkeys(_PASSING, Meaning.PASSING),
    **dict.fromkeys(_REFUSED, Meaning.REFUSED),
}


def meaning_of(code: str | None) -> Meaning:
    """What an error code of Azure means."""
    return CODES.get(code or "", Meaning.UNKNOWN)


def can_repeat(code: str | None) -> bool:
    """Whether the operation that ended with `code` may be begun again at once."""
    return meaning_of(code) is Meaning.PASSING


def against_of(rung: RungName, *, given_before: bool = True) -> Against:
    """When this rung is evidence against the VM's OS disk; `given_before`: the VM gave the signal before its stop."""
    evidence = RUNGS[rung]
    return Against.NEVER if evidence.needs_before and not given_before else evidence.against
