"""The tag contract: the one place that spells tag names.

Decides which tags the app reads and writes and how their names and values compare. `vm_tags.py` parses those of a VM.
"""

from __future__ import annotations

from collections.abc import Mapping

AUTO_REFRESH = "AutoRefresh"
OS_DISK_NAME = "OsDiskName"
OS_DISK_PREVIOUS = "OsDiskPrevious"
OS_DISK_REJECTED = "OsDiskRejected"
REFRESH_STATE = "RefreshState"
REFRESH_IMAGE = "RefreshImage"
REFRESH_STOP_MODE = "RefreshStopMode"
REFRESH_PROBE = "RefreshProbe"
REFRESH_HEALTH_TIMEOUT_S = "RefreshHealthTimeoutS"
REFRESH_RING = "RefreshRing"
REFRESH_WINDOW = "RefreshWindow"
REFRESH_GROUP = "RefreshGroup"
# On an image definition.
REFRESH_SOURCE = "RefreshSource"
# Beside a disk, snapshot or VHD: the data disk for each LUN (`RefreshSourceLun0`), and the account of the VHDs.
REFRESH_SOURCE_LUN = "RefreshSourceLun"
REFRESH_SOURCE_STORAGE = "RefreshSourceStorage"
REFRESH_ALLOWED_SCOPES = "RefreshAllowedScopes"
REFRESH_PERSONALIZES = "RefreshPersonalizes"
REFRESH_AGENT = "RefreshAgent"
# On an image version the app made: how far its checks are. Excluded from latest while they are pending.
REFRESH_CHECKS = "RefreshChecks"
CHECKS_PENDING, CHECKS_PASSED, CHECKS_FAILED = "pending", "passed", "failed"
# On an image version that the app found unhealthy on several VMs.
REFRESH_QUARANTINED = "RefreshQuarantined"
# On the temporary resource groups that versions are built and proved in.
BUILD_RUN = "RefreshRun"
BUILD_DEFINITION = "RefreshDefinition"
BUILD_FOR = "RefreshFor"
BUILD_SINCE = "RefreshSince"
# On disks the app made: information for people; no decision reads them.
DISK_VM = "RefreshVm"
DISK_PERIOD = "RefreshPeriod"
DISK_VERSION = "RefreshVersion"

VM_CONTRACT = (
    AUTO_REFRESH,
    OS_DISK_NAME,
    OS_DISK_PREVIOUS,
    OS_DISK_REJECTED,
    REFRESH_STATE,
    REFRESH_IMAGE,
    REFRESH_STOP_MODE,
    REFRESH_PROBE,
    REFRESH_HEALTH_TIMEOUT_S,
    REFRESH_RING,
    REFRESH_WINDOW,
    REFRESH_GROUP,
)
# Reserved for features that do not exist yet. A VM with one of these is not swapped: its owner expects the tag to
# count.
NOT_BUILT_YET = (REFRESH_RING, REFRESH_WINDOW, REFRESH_GROUP)
CONTRACT = (
    *VM_CONTRACT,
    REFRESH_SOURCE,
    REFRESH_SOURCE_STORAGE,
    REFRESH_ALLOWED_SCOPES,
    REFRESH_CHECKS,
    REFRESH_PERSONALIZES,
    REFRESH_QUARANTINED,
    REFRESH_AGENT,
    DISK_VM,
    DISK_PERIOD,
    DISK_VERSION,
)

PREVIOUS = "@previous"
MAX_VALUE_LENGTH = 256


def value_of(tags: Mapping[str, str], name: str) -> str | None:
    """The value of tag `name`; names compare without case, as in ARM. None when the tag is absent."""
    wanted = name.lower()
    return next((value for key, value in tags.items() if key.lower() == wanted), None)


def text_of(tags: Mapping[str, str], name: str) -> str:
    """The value of tag `name` without the blanks around it, which Azure keeps; empty when there is none."""
    return (value_of(tags, name) or "").strip()


def is_true(value: str | None) -> bool:
    """Whether a tag's value is `true`, in any case."""
    return value is not None and value.strip().lower() == "true"


def not_contract(tags: Mapping[str, str]) -> dict[str, str]:
    """The tags outside the contract, which a new disk takes over from the old one."""
    contract = {name.lower() for name in CONTRACT}
    return {key: value for key, value in tags.items() if key.lower() not in contract}
