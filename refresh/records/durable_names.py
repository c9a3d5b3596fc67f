"""Names that Durable knows: functions, the dispatcher, and the ids of instances.

Decides how they are spelled. An id is stored in histories, so a spelling never changes.
"""

from __future__ import annotations

from refresh.domain.terms.resource_id import id_hash

DISPATCHER = "dispatcher"


DISPATCHER_KEY = "app"


# Orchestrations.
REFRESH_MONTH = "refresh_month"


CREATE_IMAGES = "create_images"


BUILD_IMAGE = "build_image"


CREATE_DISKS = "create_disks"


WRITE_TAGS = "write_tags"


SWAP_VMS = "swap_vms"


LOOK = "look"


SWAP_VM = "swap_vm"


def swap_id(vm_id: str, n: int) -> str:
    """The instance id of swap number `n` of a VM."""
    return f"swap-{id_hash(vm_id)}-{n}"


def look_id(n: int) -> str:
    """The instance id of look number `n`."""
    return f"look-{n}"
