"""`RefreshState`: a copy of the open swap on the VM itself.

Decides how the tag is written and read. It is read only to start a VM again when the app has lost its record of the
swap.
"""

from __future__ import annotations

from dataclasses import dataclass

from refresh.domain.terms.resource_id import id_hash
from refresh.domain.terms.tags import MAX_VALUE_LENGTH


@dataclass(frozen=True)
class OpenIntent:
    """The swap that the tag names: its run, whether the VM ran before it, and its two `disks`."""

    run: str
    was_running: bool
    disks: tuple[str, ...] = ()

    def is_about(self, vm_id: str, *disks: str | None) -> bool:
        """Whether a swap of this VM wrote the tag and the tag names the VM's OS disk (by any name in `disks`).

        Without a disk on either side the disks are not compared.

        Tags are copied from VM to VM, and old Terraform plans write them back. This is no protection against a forged
        tag: a person who may write the VM's tags can have the VM started.
        """
        mine, named = ({disk.lower() for disk in some if disk} for some in (disks, self.disks))
        return f"-{id_hash(vm_id)}-" in self.run and (not mine or not named or not mine.isdisjoint(named))


def write_intent_tag(run: str, was_running: bool, old_disk: str, new_disk: str) -> str:
    """The tag's value, at most 256 characters; the disk names are left out when they do not fit."""
    head = f"run={run};ran={'yes' if was_running else 'no'}"
    full = f"{head};from={old_disk};to={new_disk};step=swap"
    return full if len(full) <= MAX_VALUE_LENGTH else head


def read_intent_tag(value: str | None) -> OpenIntent | None:
    """The open swap that a tag's value names; None when there is none or it cannot be read (people can write tags)."""
    fields = dict(part.strip().split("=", 1) for part in (value or "").split(";") if "=" in part)
    if not fields.get("run") or fields.get("ran") not in ("yes", "no"):
        return None
    disks = tuple(fields[key] for key in ("from", "to") if fields.get(key))
    return OpenIntent(fields["run"], fields["ran"] == "yes", disks)
