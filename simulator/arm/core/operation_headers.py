"""Headers, status URL family and Retry-After of each kind of long-running operation.

Decides the header pattern, recorded from the real ARM. Does not know what an operation does or how long it takes.
"""

from __future__ import annotations

from dataclasses import dataclass

COMPUTE = "operations"
DISK = "DiskOperations"
GALLERY = "capsOperations"


@dataclass(frozen=True)
class OperationHeaders:
    """The header pattern of one kind of operation.

    `family` is the segment of the operation URL. `location`: whether the first answer has a Location header beside
    Azure-AsyncOperation. `first_s` is the Retry-After of the first answer, `polls_s` those of the polls while the
    operation is in progress (the last one repeats); None means no header. The poll after the end never has one.
    """

    family: str = COMPUTE
    location: bool = True
    first_s: int | None = None
    polls_s: tuple[int | None, ...] = (None,)

    def poll_s(self, polls_before: int) -> int | None:
        """The Retry-After of a poll while the operation is in progress, after `polls_before` earlier polls."""
        return self.polls_s[min(polls_before, len(self.polls_s) - 1)]


OPERATION_HEADERS: dict[str, OperationHeaders] = {
    "deallocate": OperationHeaders(first_s=10),
    "start": OperationHeaders(first_s=10, polls_s=(10,)),
    "restart": OperationHeaders(first_s=10, polls_s=(10, None)),
    "powerOff": OperationHeaders(),
    "redeploy": OperationHeaders(),
    "reapply": OperationHeaders(),
    "delete": OperationHeaders(first_s=10, polls_s=(30,)),
    "create": OperationHeaders(location=False, first_s=10, polls_s=(30,)),
    "update": OperationHeaders(location=False),
    "extensionCreate": OperationHeaders(location=False),  # not recorded: those of an update and a delete of a VM
    "extensionUpdate": OperationHeaders(location=False),
    "extensionDelete": OperationHeaders(first_s=10, polls_s=(30,)),
    "imageCreate": OperationHeaders(location=False),
    "imageDelete": OperationHeaders(),
    "snapshotCreate": OperationHeaders(DISK, first_s=2, polls_s=(10,)),
    "snapshotUpdate": OperationHeaders(DISK, first_s=2, polls_s=(10,)),
    "snapshotDelete": OperationHeaders(DISK),
    "diskCreate": OperationHeaders(DISK, first_s=2, polls_s=(10,)),
    "diskUpdate": OperationHeaders(DISK, first_s=2, polls_s=(10,)),
    "diskDelete": OperationHeaders(DISK),
    "galleryCreate": OperationHeaders(GALLERY, location=False),
    "galleryUpdate": OperationHeaders(GALLERY, location=False),
    "galleryDelete": OperationHeaders(GALLERY),
    "galleryShare": OperationHeaders(GALLERY),
    "versionCreate": OperationHeaders(GALLERY, location=False, first_s=60, polls_s=(60,)),
    "versionUpdate": OperationHeaders(GALLERY, location=False, first_s=60, polls_s=(60,)),
    "versionDelete": OperationHeaders(GALLERY, first_s=60, polls_s=(60,)),
    "groupDelete": OperationHeaders(first_s=15, polls_s=(15,)),
}
