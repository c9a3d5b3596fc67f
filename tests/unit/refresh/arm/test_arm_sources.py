"""The facts of each kind of source, read through the real SDK from the local Azure."""

from __future__ import annotations

import pytest

from refresh.domain.images.source_fit import SourceFacts
from refresh.domain.images.sources import SourceKind, SourcePart
from refresh.gateways.errors import NotFound, Refused, Unavailable
from simulator.arm.core.store import Json
from tests.support.worlds.builders import DEFINITION_ID, GROUP, VERSION_ID, disk_id
from tests.support.worlds.month_world import (
    World,
    definition_body,
    gallery_bodies,
    on_arm,
    version_body,
    vm_bodies,
    vm_id,
)
from tests.support.worlds.scripted_arm import Answer, ScriptedArm, against

COMPUTE = f"{GROUP}/providers/Microsoft.Compute"
STORAGE = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/packed1"


def read(kind: SourceKind, source: str, *scenario: Json, storage: str | None = None) -> SourceFacts:
    async def story(world: World) -> SourceFacts:
        return await world.gateways.sources.read_source(SourcePart(kind, source), storage)

    return on_arm(scenario, story)


def vm(**properties: object) -> list[Json]:
    disk, body = vm_bodies("golden", {})
    disk["properties"]["supportedCapabilities"] = {"architecture": "x64"}
    return [disk, {**body, "properties": {**body["properties"], **properties}}]


def test_a_vm_source_has_the_facts_of_its_os_disk() -> None:
    """Generation and architecture come from the OS disk, also for a deallocated VM; generalised is a separate state."""
    found = read(SourceKind.VM, vm_id("golden"), *vm(securityProfile={"securityType": "TrustedLaunch"}))
    assert (found.os_type, found.os_state, found.generation, found.architecture) == (
        "Linux",
        "Specialized",
        "V2",
        "x64",
    )
    assert (found.security_type, found.location, found.busy, found.unfit) == ("TrustedLaunch", "westeurope", None, None)
    disk, body = vm()
    still = read(SourceKind.VM, vm_id("golden"), disk, {**body, "_power": "deallocated", "_generalized": True})
    assert (still.os_state, still.generation) == ("Generalized", "V2")


def test_a_vm_whose_disk_cannot_be_captured_is_unfit() -> None:
    """A VM with an ephemeral OS disk is unfit as a source; one with an operation under way is busy."""
    disk, body = vm()
    ephemeral = {**body["properties"]["storageProfile"]["osDisk"], "diffDiskSettings": {"option": "Local"}}
    found = read(SourceKind.VM, vm_id("golden"), disk, *vm(storageProfile={"osDisk": ephemeral})[1:])
    assert found.unfit is not None
    assert read(SourceKind.VM, vm_id("golden"), *vm(provisioningState="Updating")).busy == "Updating"


def test_facts_of_images_versions_disks_and_snapshots_are_read() -> None:
    """Each fact comes from its place: the image itself, the version's definition, the disk's capabilities."""
    image = {"id": f"{COMPUTE}/images/i", "location": "westeurope", "properties": {"hyperVGeneration": "V2"}}
    found = read(SourceKind.IMAGE, f"{COMPUTE}/images/i", image)
    assert (found.os_type, found.os_state, found.generation, found.busy) == ("Linux", "Generalized", "V2", None)
    supported = [{"name": "SecurityType", "value": "TrustedLaunchSupported"}]
    definition = definition_body(DEFINITION_ID, {}, features=supported)
    version = read(SourceKind.VERSION, VERSION_ID, *gallery_bodies()[2:3], definition, version_body())
    assert (version.name, version.definition) == ("ubuntu/202611.1.0", DEFINITION_ID.lower())
    assert (version.security_type, version.os_state) == ("TrustedLaunchSupported", "Specialized")
    properties = {"osType": "Windows", "hyperVGeneration": "V1", "diskSizeGB": 64, "diskState": "ActiveSAS"}
    body = {"location": "uksouth", "properties": properties}
    for kind, source in ((SourceKind.DISK, disk_id("d")), (SourceKind.SNAPSHOT, f"{COMPUTE}/snapshots/s")):
        facts = read(kind, source, {"id": source, **body})
        assert (facts.os_type, facts.os_state, facts.generation, facts.size_gb) == ("Windows", None, "V1", 64)
        assert (facts.location, facts.busy) == ("uksouth", "ActiveSAS")


def test_of_a_vhd_only_the_storage_account_is_read() -> None:
    """One GET of the storage account gives its region; the blob is not read."""
    url = "https://packed1.blob.core.windows.net/v/d.vhd"
    found = read(SourceKind.VHD, url, {"id": STORAGE, "location": "westeurope"}, storage=STORAGE)
    assert found == SourceFacts(SourcePart(SourceKind.VHD, url), "d.vhd", "westeurope")


def test_a_storage_account_that_is_not_json_is_unavailable() -> None:
    """The page of a proxy is no answer of Azure."""
    arm = ScriptedArm(Answer(200, b"<html>", {"Content-Type": "text/html"}))
    part = SourcePart(SourceKind.VHD, "https://packed1.blob.core.windows.net/v/d.vhd")
    with pytest.raises(Unavailable):
        against(arm, lambda gateways: gateways.sources.read_source(part, STORAGE))


@pytest.mark.parametrize(
    ("kind", "source", "storage"),
    [
        (SourceKind.VM, vm_id("missing"), None),
        (SourceKind.IMAGE, f"{COMPUTE}/images/none", None),
        (SourceKind.VERSION, VERSION_ID, None),
        (SourceKind.DISK, disk_id("none"), None),
        (SourceKind.SNAPSHOT, f"{COMPUTE}/snapshots/none", None),
        (SourceKind.VHD, "https://packed1.blob.core.windows.net/v/d.vhd", STORAGE),
    ],
)
def test_a_missing_source_is_not_found(kind: SourceKind, source: str, storage: str | None) -> None:
    """An absent source of any kind is NotFound, not Refused."""
    with pytest.raises(NotFound):
        read(kind, source, *vm_bodies("web01"), storage=storage)


def test_an_id_of_another_type_is_refused_without_a_request() -> None:
    """A source whose id is of another type than its kind is refused before any request."""

    async def story(world: World) -> None:
        for kind, source in (
            (SourceKind.IMAGE, vm_id("golden")),
            (SourceKind.SNAPSHOT, disk_id("d")),
            (SourceKind.RECIPE, "recipe"),
        ):
            with pytest.raises(Refused):
                await world.gateways.sources.read_source(SourcePart(kind, source))
        assert world.requests() == []

    on_arm([], story)
