"""Lists the known differences between the simulator and the recordings, each with its reason. An entry that no longer
differs fails the test."""

from __future__ import annotations

from tests.support.recordings.scoreboard import Known

KNOWN: tuple[Known, ...] = (
    Known(
        "gallery_image_version_replication_status_net",
        18,
        "header x-ms-ratelimit-remaining-resource not recorded",
        "recorded in 2020; lists of versions are counted since (rate limit recordings of 2024-25)",
    ),
)

_COMMUNITY = "community and shared galleries cannot be read"
_ACCESS = "signed links to a disk's content are not simulated"
_BREAKDOWN = "an internal failure of Azure; the simulator makes one only through a planned fault"
_THROTTLED = "throttling is enforced only when switched on; its own tests cover it"
_SCALE_SET = "scale sets are not simulated"
_CREATING = "the view while Azure creates a VM; the simulator keeps no view before a VM exists"
_PROVISIONING = "the guest's own provisioning report after a creation is not simulated"

NOT_SENT: dict[str, dict[int, str]] = {
    "disk_create_from_gallery_version": dict.fromkeys([9, 21], _COMMUNITY),
    "disk_snapshot_image_crud": dict.fromkeys([8, 9, 10], _ACCESS),
    "errors": {
        **dict.fromkeys([13, 14, 15, 16, 30], _BREAKDOWN),
        **dict.fromkeys([12, 19, 20, 21], _THROTTLED),
        **dict.fromkeys([10, 17, 24], _SCALE_SET),
        18: "roles are enforced only where given; their own tests cover it",
        26: "recorded in 2015, in a shape that is gone",
        29: "the recorder kept no request body",
        31: "core quotas are not simulated",
    },
    "vm_instance_view_states": {
        **dict.fromkeys([7, 13, 15, 18, 19, 21, 22, 23, 27, 29, 30], _CREATING),
        **dict.fromkeys([6, 12, 24], _PROVISIONING),
        5: "Azure Disk Encryption is only a marker that makes the app refuse a swap; it is not simulated",
        **dict.fromkeys([8, 20], "recorded in 2017, before views listed disks"),
        **dict.fromkeys([9, 17], "no OSState is shown for VMs made from a specialised image"),
        11: "recorded in 2018; since then a deallocated VM's view shows no agent",
        **dict.fromkeys([10, 28], "proximity placement groups are not simulated"),
    },
}
