"""The commands with which a person finishes a swap that the app could not finish.

Decides their order: put the VM on hold, which stops the app's steps and sweeps at once; put the old disk back; start
the VM; end the hold. Does not know when they are needed.
"""

from __future__ import annotations

from refresh.domain.terms import tags
from refresh.domain.terms.shell import command


def write_commands(vm_id: str, old_disk: str | None) -> tuple[str, ...]:
    """The `az` commands for a VM that may be down; without `old_disk` the VM starts on whatever disk it has.

    https://learn.microsoft.com/azure/virtual-machines/linux/os-disk-swap
    """
    tag = ("az", "tag", "update", "--resource-id", vm_id, "--operation", "Merge", "--tags")
    swap = (
        (
            command("az", "vm", "deallocate", "--ids", vm_id),
            command("az", "vm", "update", "--ids", vm_id, "--os-disk", old_disk),
        )
        if old_disk
        else ()
    )
    return (
        command(*tag, f"{tags.AUTO_REFRESH}=hold"),
        *swap,
        command("az", "vm", "start", "--ids", vm_id),
        command(*tag, f"{tags.AUTO_REFRESH}=true"),
    )
