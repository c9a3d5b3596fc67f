"""ARM resource ids: splitting and comparing them.

Decides how an id is split and compared (ARM compares without case; answers vary in case). Does not know whether the
resource exists.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from refresh.domain.terms.encodable import encodable

_TAGS_SUFFIX = re.compile(r"/providers/microsoft\.resources/tags/default/?\Z", re.IGNORECASE)
_NAME = re.compile(r"^[A-Za-z0-9_][A-Za-z0-9_.\-]{0,79}\Z")
# In the path of a URL `.` and `..` lead to another resource, `%` may hide one of them, and `?` or `#` ends the path. No
# resource has such a name: https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules
_SEGMENT = re.compile(r"^(?!\.{1,2}\Z)[^%?#\\<>*&:]+\Z")
VM_TYPE = "microsoft.compute/virtualmachines"
DISK_TYPE = "microsoft.compute/disks"
VERSION_TYPE = "microsoft.compute/galleries/images/versions"
DEFINITION_TYPE = "microsoft.compute/galleries/images"
GALLERY_TYPE = "microsoft.compute/galleries"


@dataclass(frozen=True)
class ResourceId:
    """The parts of an ARM id below a resource group; `names` has one entry for each type segment."""

    subscription: str
    group: str
    type: str
    names: tuple[str, ...]
    text: str

    @property
    def name(self) -> str:
        """The resource's own name, the last one."""
        return self.names[-1]

    @property
    def key(self) -> str:
        """The id as ARM compares it: lower-case."""
        return self.text.lower()

    @property
    def group_id(self) -> str:
        """The resource group's id, as written."""
        return f"/subscriptions/{self.subscription}/resourceGroups/{self.group}"

    @property
    def group_key(self) -> str:
        """The resource group's id, lower-case."""
        return self.group_id.lower()

    def parent(self, levels: int = 1) -> str:
        """The id of the resource `levels` above this one, such as the definition of a version."""
        return "/".join(self.text.split("/")[: -2 * levels])

    def sibling(self, resource_type: str, name: str) -> str:
        """The id of another resource of `resource_type` (`Microsoft.Compute/disks`) in the same group."""
        return f"{self.group_id}/providers/{resource_type}/{name}"


def parse(text: object) -> ResourceId | None:
    """The parts of `text`; None when it is not the id of a resource in a resource group, or cannot be encoded."""
    if not isinstance(text, str) or len(text) > 1024 or encodable(text) != text:
        return None
    trimmed = text.rstrip("/")
    parts = trimmed.split("/")
    if len(parts) < 9 or len(parts) % 2 == 0 or parts[0] != "" or any(not _SEGMENT.match(part) for part in parts[1:]):
        return None
    if (parts[1].lower(), parts[3].lower(), parts[5].lower()) != ("subscriptions", "resourcegroups", "providers"):
        return None
    types = "/".join([parts[6], *parts[7::2]]).lower()
    return ResourceId(parts[2], parts[4], types, tuple(parts[8::2]), trimmed)


def parse_vm(text: object) -> ResourceId | None:
    """Like `parse`, but only for the id of a virtual machine, and for one that fits into a line of the log.

    Letters of any script are in the names of resource groups; control characters are not.
    """
    found = parse(text)
    is_vm = found is not None and found.type == VM_TYPE and _NAME.match(found.name) and found.text.isprintable()
    return found if is_vm else None


def without_tags_suffix(text: str) -> str:
    """The tagged resource's id: tags writes may name `<id>/providers/Microsoft.Resources/tags/default`."""
    return _TAGS_SUFFIX.sub("", text)


def same(left: str | None, right: str | None) -> bool:
    """Whether two ids name the same resource; an absent id names none."""
    return left is not None and right is not None and left.rstrip("/").lower() == right.rstrip("/").lower()


def is_vm_name(text: str) -> bool:
    """Whether `text` could be a virtual machine's name."""
    return bool(_NAME.match(text))


def is_disk_name(text: str) -> bool:
    """Whether `text` could be a managed disk's name (letters, digits, `_ . -`, at most 80 characters).

    https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules#microsoftcompute
    """
    return bool(_NAME.match(text)) and not text.endswith((".", "-"))


def id_hash(text: str) -> str:
    """Twelve hex digits of the SHA-256 of a resource id, or of any other text, the same in any case."""
    return hashlib.sha256(text.lower().encode(errors="surrogatepass")).hexdigest()[:12]
