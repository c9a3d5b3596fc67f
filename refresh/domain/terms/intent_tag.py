"""`RefreshState`: the mirror of an open intent on the VM itself.

Decides how it is written and read. It is read only to bring a VM back up when everything else is lost.
"""

from __future__ import annotations

from dataclasses import dataclass

from refresh.domain.terms.resource_id import id_hash
from refresh.domain.terms.tags import MAX_VALUE_LENGTH


@dataclass(frozen=True)
class OpenIntent:
    """What the tag says: a swap of this run was under way, whether the VM ran before it, and its two `disks`."""

    run: str
    was_running: bool
    disks: tuple[str, ...] = ()

    def is_about(self, vm_id: str, *disks: str | None) -> bool:
        """Whether a swap of this very VM wrote it, and the VM's OS disk (by any name) is one of the two it names.

        Tags get copied from VM to VM, and written back from old plans. This is no proof against somebody who means to
        deceive: whoever may write the VM's tags can have it started.
        """
        mine, named = ({disk.lower() for disk in some if disk} for some in (disks, self.disks))
        return f"-{id_hash(vm_id)}-" in self.run and (not mine or not named or not mine.isdisjoint(named))


def write_intent_tag(run: str, was_running: bool, old_disk: str, new_disk: str) -> str:
    """The tag's value, at most 256 characters; disk names give way before the run and `ran` do."""
    head = f"run={run};ran={'yes' if was_running else 'no'}"
    full = f"{head};from={old_disk};to={new_disk};step=swap"
    return full if len(full) <= MAX_VALUE_LENGTH else head


def read_intent_tag(value: str | None) -> OpenIntent | None:
    """What an open intent says, or None when there is none or it cannot be read (people can write tags)."""
    fields = dict(part.split("=", 1) for part in (value or "").split(";") if "=" in part)
    if not fields.get("run") or fields.get("ran") not in ("yes", "no"):
        return None
    disks = tuple(fields[key] for key in ("from", "to") if fields.get(key))
    return OpenIntent(fields["run"], fields["ran"] == "yes", disks)
