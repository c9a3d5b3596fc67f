"""The `az` commands with which a person finishes or deletes what a build left.

Decides the text of the commands. Does not know when they are needed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from refresh.domain.azure.galleries import Region, Version
from refresh.domain.terms import names, resource_id
from refresh.domain.terms.shell import command


def retry_commands(version: Version, wanted: Iterable[str] = ()) -> tuple[str, ...]:
    """The `az` commands that replicate a version to the regions where it is missing, and to the regions `wanted`.

    A region where replication failed is removed and added again, as Azure's error advises:
    https://github.com/Azure/azure-cli/issues/15539
    """
    found = resource_id.parse(version.id)
    targets = {names.region_key(region.name): region for region in version.regions}
    arrived = [name for name, region in targets.items() if region.state == "Completed"]
    missing = [name for name in dict.fromkeys((*targets, *map(names.region_key, wanted))) if name not in arrived]
    # The command line would drop the keys of encrypted regions.
    if found is None or not missing or not arrived or any(region.encrypted for region in version.regions):
        return ()
    gallery, definition, name = found.names
    # A group's name may begin with a hyphen; the other names begin with a letter or a digit.
    group = (f"--resource-group={found.group}",) if found.group.startswith("-") else ("-g", found.group)
    update = (
        *("az", "sig", "image-version", "update", "--subscription", found.subscription, *group, "-r", gallery),
        *("-i", definition, "-e", name, "--target-regions"),
    )
    there = tuple(_target(name, targets) for name in arrived)
    again = (command(*update, *there, *(_target(name, targets) for name in missing)),)
    return (command(*update, *there), *again) if len(arrived) < len(targets) else again


def _target(name: str, targets: Mapping[str, Region]) -> str:
    """A region as the command line takes it, with its replicas and storage type: Azure refuses other values."""
    region = targets.get(name)
    parts = (name, region.replicas if region else None, (region.storage or "").lower() if region else None)
    return "=".join(str(part) for part in parts if part)


def delete_command(resource: str) -> str:
    """The `az` command that deletes a version or a managed image, for a person to run."""
    return command("az", "resource", "delete", "--ids", resource)
