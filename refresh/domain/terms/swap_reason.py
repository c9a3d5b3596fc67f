"""Reason codes of swaps: why the app does something to a VM or does not.

Decides the codes that logs, API, dashboard and history show unchanged. The sentence beside a code is made where the
code is used, because it names the resources concerned.
"""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """Why something is done or not. The value is shown to people and never changes its meaning."""

    WANTED = "wanted"
    RECOVER = "recover"

    NO_WISH = "no-wish"
    ALREADY_THERE = "already-there"
    NOT_IN_SCOPE = "not-in-scope"
    ON_HOLD = "on-hold"
    VM_GONE = "vm-gone"
    ALREADY_BACK = "already-back"
    RUNS_ANOTHER_DISK = "runs-another-disk"
    NOT_GIVEN = "not-given"
    SWAP_PENDING = "swap-pending"
    CANCELLED = "cancelled"

    OUTSIDE_SUBSCRIPTIONS = "outside-subscriptions"
    BAD_WISH = "bad-wish"
    NO_PREVIOUS = "no-previous"
    DISK_NOT_FOUND = "disk-not-found"
    DISK_OUTSIDE_GROUP = "disk-outside-group"
    DISK_IN_USE = "disk-in-use"
    DISK_OF_ANOTHER = "disk-of-another-vm"
    DISK_RESERVED = "disk-reserved"
    DISK_NOT_READY = "disk-not-ready"
    DISK_NOT_TRUSTED = "disk-not-trusted"
    NOT_PERSONALIZED = "not-personalized"
    IMAGE_QUARANTINED = "image-quarantined"
    GENERALIZED_WINDOWS = "generalized-windows"
    REJECTED_BEFORE = "rejected-before"
    OTHER_REGION = "other-region"
    OTHER_ZONE = "other-zone"
    OTHER_EDGE_ZONE = "other-edge-zone"
    OTHER_OS = "other-os"
    OTHER_GENERATION = "other-generation"
    OTHER_ARCHITECTURE = "other-architecture"
    OTHER_CONTROLLER = "other-disk-controller"
    OTHER_SECURITY_TYPE = "other-security-type"
    OTHER_ENCRYPTION_SET = "other-encryption-set"
    DISK_ENCRYPTION = "azure-disk-encryption"
    DISK_TOO_SMALL = "disk-too-small"
    NO_HIBERNATION = "hibernation-not-supported"
    OTHER_PLAN = "other-plan"
    SKU_NOT_ALLOWED = "sku-not-allowed"
    TAG_LIMIT = "tag-limit"
    TAG_NOT_BUILT = "tag-not-built"
    BAD_STOP_MODE = "bad-stop-mode"
    BAD_PROBE = "bad-probe"
    BAD_HEALTH_TIMEOUT = "bad-health-timeout"
    UNMANAGED_DISK = "unmanaged-disk"
    EPHEMERAL_DISK = "ephemeral-disk"
    SCALE_SET = "scale-set"
    HIBERNATED = "hibernated"
    RIGHTS_MISSING = "rights-missing"
    LINKED_RIGHTS_MISSING = "linked-rights-missing"
    DENY_ASSIGNMENT = "deny-assignment"
    DISALLOWED_BY_POLICY = "disallowed-by-policy"
    LOCKED = "locked"
    VM_BUSY = "vm-busy"
    UNREADABLE = "unreadable"
    TAGS_NOT_WRITTEN = "tags-not-written"

    VERIFIED = "verified"
    NOT_PROVEN = "guest-not-proven"
    NOT_RUNNING = "was-not-running"
    STEP_FAILED = "step-failed"
    UNHEALTHY = "unhealthy"
    CHANGED_BY_OTHERS = "changed-by-others"
    UNDO_FAILED = "undo-failed"
    APP_FAILED = "app-failed"
    NO_CAPACITY = "no-capacity"
    OPERATION_SLOW = "operation-slow"
    NOT_CLAIMED = "not-claimed"
    DISPATCHER_SILENT = "dispatcher-silent"


class Wait(StrEnum):
    """Why an admitted VM still waits in the queue."""

    PAUSED = "paused"
    SELFCHECK = "selfcheck"
    SWAPS_IN_FLIGHT = "swaps-in-flight"
    STARTS_IN_FLIGHT = "starts-in-flight"
    AVAILABILITY_SET = "availability-set"
    SAME_DISK = "same-disk"
    SWAPPING = "swapping"
