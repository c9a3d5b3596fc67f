"""Which resource groups are temporary groups of the app, decided by their names."""

from __future__ import annotations

from refresh.domain.recipes import temporary_group
from refresh.domain.recipes.temporary_group import Group
from tests.support.worlds.builders import DEFINITION_ID, SUBSCRIPTION

RUN = "recipe-202611-1a2b3c4d"
NETWORK = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/net/providers/Microsoft.Network/virtualNetworks/net"
ID = temporary_group.group_id(f"{NETWORK}/subnets/build", temporary_group.BUILD, DEFINITION_ID, RUN)
TAGS = temporary_group.group_tags(temporary_group.BUILD, DEFINITION_ID, RUN, "2026-11-01T00:00:00Z")


def group(name: str, tags: dict[str, str]) -> Group:
    return Group(f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{name}", name, "westeurope", "Succeeded", tags)


def test_the_apps_own_group_is_known_by_its_name_and_run() -> None:
    """The name matches in any case in which ARM writes it."""
    name = ID.rsplit("/", 1)[1]
    assert temporary_group.is_temporary(group(name, TAGS))
    assert temporary_group.is_temporary(group(name.upper(), TAGS))


def test_tags_alone_make_no_group_temporary() -> None:
    """A group with the app's tags but without the hash of its run in its name is not temporary."""
    name = ID.rsplit("/", 1)[1]
    for other in ("shop", "refresh-app", "refresh-build-ubuntu", f"{name}-2", f"shop-{name}"):
        assert not temporary_group.is_temporary(group(other, TAGS))
    assert not temporary_group.is_temporary(group(name, TAGS | {"RefreshRun": "recipe-202611-other"}))
    assert not temporary_group.is_temporary(group(name, {}))
