"""The commands with which a person finishes what the app could not.

Decides their order: first the app is told to keep its hands off, which every step and the sweep honour at once, then
the old disk is put back and the VM started, and in the end the VM is handed back to the app.
"""

from __future__ import annotations

from refresh.domain.terms import tags


def write_commands(vm_id: str, old_disk: str | None) -> tuple[str, ...]:
    """The `az` commands for a VM that may be down; without `old_disk` it is started on whatever disk it has.

    https://learn.microsoft.com/azure/virtual-machines/linux/os-disk-swap
    """
    tag = f"az tag update --resource-id {vm_id} --operation"
    swap = (f"az vm deallocate --ids {vm_id}", f"az vm update --ids {vm_id} --os-disk {old_disk}") if old_disk else ()
    return (
        f"{tag} Merge --tags {tags.AUTO_REFRESH}=hold",
        *swap,
        f"az vm start --ids {vm_id}",
        f"{tag} Merge --tags {tags.AUTO_REFRESH}=true",
    )
