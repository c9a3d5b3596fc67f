"""Reason codes of the monthly refresh; those of a swap, which a month has too, are in `swap_reason.py`.

Decides the codes that results, logs, API and dashboard show unchanged. The sentence beside a code is made where the
code is used, because it names the resources concerned.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class MonthReason(StrEnum):
    """Why something was done or not. The value is shown to people and never changes its meaning."""

    MADE = "made"
    MISSING = "missing"
    KEPT = "kept"
    NOT_READ = "not-read"
    AZURE_SAID_NO = "azure-said-no"
    TIMED_OUT = "timed-out"
    BROKEN = "broken"
    CANCELLED = "cancelled"

    # Images.
    NO_SOURCE = "no-source"
    UNKNOWN_SOURCE = "unknown-source"
    SOURCE_GONE = "source-gone"
    SOURCE_ELSEWHERE = "source-in-other-region"
    SOURCE_NOT_READY = "source-not-ready"
    SOURCE_DOES_NOT_FIT = "source-does-not-fit"
    DEFINITION_DIFFERS = "definition-differs"
    NOT_PROVEN = "not-proven"
    GENERALIZED = "definition-generalized"
    TRUSTED_LAUNCH = "definition-trusted-launch-supported"
    NEWER_VERSION = "newer-version-exists"
    BUILD_UNDER_WAY = "build-under-way"
    BUILD_FAILED = "build-failed"
    NOT_REPLICATED = "not-replicated"

    # Images from recipes.
    BAD_RECIPE = "bad-recipe"
    WINDOWS_RECIPE = "windows-recipe"
    NO_BUILD_SUBNET = "no-build-subnet"
    BUILD_TIMED_OUT = "build-timed-out"
    NO_MARKER = "no-build-marker"

    # Disks and tags.
    NOT_A_VM = "not-a-vm"
    VM_GONE = "vm-gone"
    NOT_IN_SCOPE = "not-in-scope"
    ON_HOLD = "on-hold"
    UNKNOWN_IMAGE = "unknown-image"
    NO_IMAGE = "no-image"
    SEVERAL_IMAGES = "several-images"
    IMAGE_DOES_NOT_FIT = "image-does-not-fit"
    IMAGE_NOT_ALLOWED = "image-not-allowed"
    NO_VERSION = "no-version"
    CONFIDENTIAL_KEY = "confidential-customer-key"
    NO_FREE_NAME = "no-free-name"
    NOT_VERIFIED = "not-verified"
    NO_DISK = "no-disk"
    DISK_NOT_FREE = "disk-not-free"
    ALREADY_THERE = "already-there"
    ALREADY_TAGGED = "already-tagged"
    REJECTED_BEFORE = "rejected-before"
    ROLLED_BACK_BEFORE = "rolled-back-before"


@dataclass(frozen=True)
class Refusal:
    """Why the app does not do something: the code, and one sentence with the cure."""

    reason: MonthReason
    message: str
