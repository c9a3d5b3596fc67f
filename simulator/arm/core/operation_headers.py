"""How each long-running operation looks on the wire: its headers, its URL family, its Retry-After.

This room decides the header pattern, as recorded from the real ARM. It refuses to know what an operation does or how
long it takes.
"""

from __future__ import annotations

from dataclasses import dataclass

COMPUTE = "operations"
DISK = "DiskOperations"
GALLERY = "capsOperations"


@dataclass(frozen=True)
class OperationHeaders:
    """The wire pattern of one kind of operation.

    `family` is the segment of the operation URL. `location`: whether a Location header stands beside
    Azure-AsyncOperation. `first_s` is the Retry-After of the first answer, `polls_s` those of the polls that find the
    operation in progress (the last one repeats); None means no header. A terminal poll never carries one.
    """

    family: str = COMPUTE
    location: bool = True
    first_s: int | None = None
    polls_s: tuple[int | None, ...] = (None,)

    def poll_s(self, polls_before: int) -> int | None:
        """The Retry-After of a poll in progress when `polls_before` polls came earlier."""
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
    "versionCreate": OperationHeaders(GALLERY, location=False, first_s=60, polls_s=(60,)),
    "versionUpdate": OperationHeaders(GALLERY, location=False, first_s=60, polls_s=(60,)),
    "versionDelete": OperationHeaders(GALLERY, first_s=60, polls_s=(60,)),
    "groupDelete": OperationHeaders(first_s=15, polls_s=(15,)),
}
