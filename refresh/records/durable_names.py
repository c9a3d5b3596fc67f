"""Names that Durable stores: functions, the dispatcher entity, and instance ids.

Decides how they are spelled. Each function has its name here once and nowhere else. Names and ids are in stored
histories, so a spelling never changes.
"""

from __future__ import annotations

import re
from enum import StrEnum

from refresh.domain.terms.resource_id import id_hash

_SWAP_ID = re.compile(r"swap-([0-9a-f]{12})-[0-9]+", re.ASCII)

# The entities. Dispatcher and inbox have one key, the others one for each value of the first two digits of the hash of
# a VM's id.
DISPATCHER = "dispatcher"
DISPATCHER_KEY = "app"
INBOX = "inbox"
INBOX_KEY = "app"
PAST_OUTCOMES = "past_outcomes"
VM_MEMORY = "vm_memory"


class Operation(StrEnum):
    """The operations of the dispatcher entity."""

    HINT = "hint"
    TAKE = "take"
    DECIDED = "decided"
    CLAIM = "claim"
    STEP = "step"
    FINISHED = "finished"
    REJECT = "reject"
    PAUSE = "pause"
    RESUME = "resume"
    RECOVER = "recover"
    PROBE = "probe"
    SELFCHECKED = "selfchecked"
    KEPT = "kept"


class PastOutcomesOperation(StrEnum):
    """The operations of the entity `past_outcomes`."""

    KEEP = "keep"
    FIND = "find"


class VmMemoryOperation(StrEnum):
    """The operations of the entity `vm_memory`."""

    KEEP = "keep"
    SETTLE = "settle"
    FULFILL = "fulfill"
    ANNOUNCE = "announce"


class InboxOperation(StrEnum):
    """The operations of the inbox entity."""

    HINT = "hint"
    RECEIVED = "received"
    RESEND = "resend"


# Orchestrations.
LOOK = "look"
SWAP_VM = "swap_vm"
SWAP_VMS = "swap_vms"
REFRESH_MONTH = "refresh_month"
CREATE_IMAGES = "create_images"
BUILD_IMAGE = "build_image"
CREATE_DISKS = "create_disks"
WRITE_TAGS = "write_tags"
RUN_RECIPE = "run_recipe"
BUILD_VM = "build_vm"
PROVE_VERSION = "prove_version"
APPLY_RETENTION = "apply_retention"
SELFCHECK = "selfcheck"
ANSWER_SELFCHECK = "answer_selfcheck"

# Activities of looks and swaps.
READ_HINTS = "read_hints"
LIST_MISMATCHES = "list_mismatches"
PREPARE_SWAP = "prepare_swap"
WRITE_INTENT = "write_intent"
ENSURE_STOPPED = "ensure_stopped"
ENSURE_OS_DISK = "ensure_os_disk"
ENSURE_STARTED = "ensure_started"
ENSURE_HEALTHY = "ensure_healthy"
WRITE_REJECTION = "write_rejection"
QUARANTINE_VERSION = "quarantine_version"
CLEAR_INTENT = "clear_intent"
WRITE_WISHES = "write_wishes"
ADOPT_DISKS = "adopt_disks"
WRITE_WAYS_BACK = "write_ways_back"
WITHDRAW_WISHES = "withdraw_wishes"
FIND_OUTCOMES = "find_outcomes"
COUNT_SWAPS = "count_swaps"

# Activities of images.
LIST_BUILDS = "list_builds"
PLAN_VERSION = "plan_version"
MAKE_DEFINITION = "make_definition"
MAKE_IMAGE = "make_image"
BEGIN_VERSION = "begin_version"
WATCH_VERSION = "watch_version"
EXPLAIN_VERSION = "explain_version"
ADMIT_VERSION = "admit_version"
DISCARD_VERSION = "discard_version"

# Activities of recipes.
PLAN_RECIPE = "plan_recipe"
PLAN_PROOF = "plan_proof"
FIND_LEFTOVERS = "find_leftovers"
ENSURE_BUILD_GROUP = "ensure_build_group"
ENSURE_BUILD_VM = "ensure_build_vm"
ENSURE_PROOF_VM = "ensure_proof_vm"
WATCH_BUILD_VM = "watch_build_vm"
ENSURE_GENERALIZED = "ensure_generalized"
ENSURE_GROUP_GONE = "ensure_group_gone"

# Activities of disks.
READ_SCOPE = "read_scope"
MAKE_DISKS = "make_disks"
WRITE_DISK_TAGS = "write_disk_tags"

# Activities of retention.
PLAN_RETENTION = "plan_retention"
FIND_HOLDERS = "find_holders"
DELETE_DISKS = "delete_disks"
DELETE_VERSIONS = "delete_versions"
WATCH_DELETIONS = "watch_deletions"

# Activities of the self-check.
BEGIN_SELFCHECK = "begin_selfcheck"
CHECK_INSTANCES = "check_instances"
CHECK_SUBSCRIPTION = "check_subscription"
KEEP_TIME = "keep_time"

# Activities of notifications.
PUBLISH_EVENT = "publish_event"


def swap_id(vm_id: str, n: int) -> str:
    """The instance id of swap number `n` of a VM."""
    return f"{swap_prefix(id_hash(vm_id))}{n}"


def swap_prefix(vm_hash: str) -> str:
    """The beginning of the instance ids of all swaps of the VM with this id hash."""
    return f"swap-{vm_hash}-"


def vm_hash_of(run: str) -> str | None:
    """The hash of a VM's id in the instance id of a swap; None in any other."""
    found = _SWAP_ID.match(run)
    return found.group(1) if found is not None else None


def look_id(n: int) -> str:
    """The instance id of look number `n`."""
    return f"look-{n}"


def vm_key(vm_hash: str) -> str:
    """The key of the entities `past_outcomes` and `vm_memory` that have the VM with this id hash."""
    return vm_hash[:2]


VM_KEYS: tuple[str, ...] = tuple(f"{number:02x}" for number in range(256))
"""Every key of the entities `past_outcomes` and `vm_memory`."""
