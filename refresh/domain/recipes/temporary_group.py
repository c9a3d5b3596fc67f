"""The temporary resource group in which a version is built or proved: its name, its tags, the names of its resources.

Decides names and tags, so that a group that is left over names its run. Does not know when anything is made.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from refresh.domain.terms import resource_id, tags
from refresh.domain.terms.shell import command

BUILD, PROOF = "build", "proof"
_ODD = re.compile(r"[^A-Za-z0-9_-]")


@dataclass(frozen=True)
class Group:
    """A resource group as ARM shows it."""

    id: str
    name: str
    location: str
    provisioning_state: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


def group_id(subnet: str, purpose: str, definition: str, run: str) -> str:
    """The group of one run for one definition, in the subnet's subscription; the same for the same arguments.

    A network interface must be in the subscription of its network:
    https://learn.microsoft.com/azure/virtual-network/virtual-network-network-interface
    """
    found = resource_id.parse(subnet)
    assert found is not None, "settings take subnets by full id only"  # noqa: S101
    name = _ODD.sub("-", definition.rsplit("/", 1)[-1])[:40]
    return f"/subscriptions/{found.subscription}/resourceGroups/refresh-{purpose}-{name}-{resource_id.id_hash(run)}"


def is_temporary(group: Group) -> bool:
    """Whether the app made this group for the run that its tag names.

    Other people can write tags but cannot rename a group: the name of the app's group has the hash of its run.
    """
    run = tags.value_of(group.tags, tags.BUILD_RUN)
    if run is None:
        return False
    named = rf"refresh-({BUILD}|{PROOF})-.*-{resource_id.id_hash(run)}\Z"
    return re.match(named, group.name, re.IGNORECASE) is not None


def group_tags(purpose: str, definition: str, run: str, since: str) -> dict[str, str]:
    """The tags of the group: its run, definition, purpose and start, which show whether it can be deleted."""
    return {
        tags.BUILD_RUN: run,
        tags.BUILD_DEFINITION: definition[: tags.MAX_VALUE_LENGTH],
        tags.BUILD_FOR: purpose,
        tags.BUILD_SINCE: since,
    }


def vm_id(group: str) -> str:
    """The group's VM."""
    return f"{group}/providers/Microsoft.Compute/virtualMachines/machine"


def nic_id(group: str) -> str:
    """The group's network interface."""
    return f"{group}/providers/Microsoft.Network/networkInterfaces/machine-nic"


def disk_id(group: str) -> str:
    """The OS disk on which a version is proved."""
    return f"{group}/providers/Microsoft.Compute/disks/machine-os"


def delete_commands(group: str) -> tuple[str, ...]:
    """The `az` commands with which a person deletes the group, first the locks that prevent it."""
    subscription, name = group.split("/")[2], group.rsplit("/", 1)[-1]
    where = ("--resource-group", name, "--subscription", subscription)
    return (
        command("az", "lock", "list", *where, "--query", "[].id", "--output", "tsv"),
        command("az", "lock", "delete", "--ids", "<each of them>"),
        command("az", "group", "delete", "--name", name, "--subscription", subscription, "--yes"),
    )
