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
class Profile:
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


PROFILES: dict[str, Profile] = {
    "deallocate": Profile(first_s=10),
    "start": Profile(first_s=10, polls_s=(10,)),
    "restart": Profile(first_s=10, polls_s=(10, None)),
    "powerOff": Profile(),
    "redeploy": Profile(),
    "reapply": Profile(),
    "delete": Profile(first_s=10, polls_s=(30,)),
    "create": Profile(location=False, first_s=10, polls_s=(30,)),
    "update": Profile(location=False),
    "imageCreate": Profile(location=False),
    "imageDelete": Profile(),
    "snapshotCreate": Profile(DISK, first_s=2, polls_s=(10,)),
    "snapshotUpdate": Profile(DISK, first_s=2, polls_s=(10,)),
    "snapshotDelete": Profile(DISK),
    "diskCreate": Profile(DISK, first_s=2, polls_s=(10,)),
    "diskUpdate": Profile(DISK, first_s=2, polls_s=(10,)),
    "diskDelete": Profile(DISK),
    "galleryCreate": Profile(GALLERY, location=False),
    "galleryUpdate": Profile(GALLERY, location=False),
    "galleryDelete": Profile(GALLERY),
    "versionCreate": Profile(GALLERY, location=False, first_s=60, polls_s=(60,)),
    "versionUpdate": Profile(GALLERY, location=False, first_s=60, polls_s=(60,)),
    "versionDelete": Profile(GALLERY, first_s=60, polls_s=(60,)),
    "groupDelete": Profile(first_s=15, polls_s=(15,)),
}
