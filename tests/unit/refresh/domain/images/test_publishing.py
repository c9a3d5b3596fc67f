"""The ARM body with which a version is published."""

from __future__ import annotations

import pytest

from refresh.domain.images.publishing import (
    Demand,
    Publishing,
    image_body,
    replicas_for,
    target_regions,
    version_body,
    without_refused_region,
)
from refresh.domain.images.sources import Source, SourceKind, SourcePart
from tests.support.worlds.builders import GROUP, VERSION_ID, VM_ID, disk_id, make_definition

NOW = "2026-11-01T02:00:00+00:00"
STORAGE = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/packed1"
KEY = f"{GROUP}/providers/Microsoft.Compute/diskEncryptionSets/des"


def body(source: Source, publishing: Publishing | None = None, **demand: int) -> dict[str, object]:
    made = version_body(
        make_definition(),
        source,
        publishing or Publishing(),
        Demand(("uksouth",), "202611", NOW, demand),
    )
    properties: dict[str, object] = made["properties"]
    return properties


def test_a_version_goes_to_its_own_region_first_and_to_every_needed_one() -> None:
    """The target regions are those of VMs in scope and the configured ones, each once, in any spelling."""
    publishing = Publishing(regions=("UK South", "North Europe"))
    found = target_regions(make_definition(location="westeurope"), ["uksouth", "West Europe", "eastus"], publishing)
    assert found == ["westeurope", "eastus", "northeurope", "uksouth"]


@pytest.mark.parametrize(("disks", "replicas"), [(0, 1), (50, 1), (51, 2), (2500, 50), (5001, 100), (99999, 100)])
def test_replicas_follow_the_disks_made_at_once(disks: int, replicas: int) -> None:
    """There is one replica for every 50 disks, at least one and at most Azure's limit."""
    assert replicas_for(disks) == replicas


def test_a_version_is_excluded_from_latest_from_its_first_second() -> None:
    """A new version is excluded until its checks have passed; replicas follow the VMs of each region."""
    made = version_body(
        make_definition(),
        Source(SourcePart(SourceKind.VM, VM_ID)),
        Publishing(),
        Demand(("uksouth",), "202611", NOW, {"uksouth": 120}),
    )
    assert made == {
        "location": "westeurope",
        "tags": {"RefreshPeriod": "202611", "RefreshChecks": "pending"},
        "properties": {
            "publishingProfile": {
                "targetRegions": [
                    {"name": "westeurope", "regionalReplicaCount": 1},
                    {"name": "uksouth", "regionalReplicaCount": 3},
                ],
                "excludeFromLatest": True,
            },
            "storageProfile": {"source": {"virtualMachineId": VM_ID}},
        },
    }


def test_the_owner_decides_storage_encryption_replicas_and_end_of_life() -> None:
    """The values of images.toml are used, by region where it has them; data disks are encrypted like the OS disk."""
    publishing = Publishing(
        replicas=4,
        storage="Standard_ZRS",
        storage_in={"UK South": "Standard_LRS"},
        encryption={"westeurope": KEY},
        end_of_life_days=30,
    )
    source = Source(SourcePart(SourceKind.SNAPSHOT, "s"), (SourcePart(SourceKind.DISK, disk_id("d"), 3),))
    assert body(source, publishing, uksouth=9999)["publishingProfile"] == {
        "targetRegions": [
            {
                "name": "westeurope",
                "regionalReplicaCount": 4,
                "encryption": {
                    "osDiskImage": {"diskEncryptionSetId": KEY},
                    "dataDiskImages": [{"lun": 3, "diskEncryptionSetId": KEY}],
                },
            },
            {"name": "uksouth", "regionalReplicaCount": 4, "storageAccountType": "Standard_LRS"},
        ],
        "excludeFromLatest": True,
        "storageAccountType": "Standard_ZRS",
        "endOfLifeDate": "2026-12-01T00:00:00Z",
    }


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (Source(SourcePart(SourceKind.VERSION, VERSION_ID)), {"source": {"id": VERSION_ID}}),
        (Source(SourcePart(SourceKind.IMAGE, "i")), {"source": {"id": "i"}}),
        (
            Source(
                SourcePart(SourceKind.DISK, "d"),
                (SourcePart(SourceKind.SNAPSHOT, "s", 1), SourcePart(SourceKind.VHD, "u", 2)),
                STORAGE,
            ),
            {
                "osDiskImage": {"source": {"id": "d"}},
                "dataDiskImages": [
                    {"lun": 1, "source": {"id": "s"}},
                    {"lun": 2, "source": {"storageAccountId": STORAGE, "uri": "u"}},
                ],
            },
        ),
        (
            Source(SourcePart(SourceKind.VHD, "u"), storage=STORAGE),
            {"osDiskImage": {"source": {"storageAccountId": STORAGE, "uri": "u"}}},
        ),
    ],
)
def test_each_kind_of_source_is_named_where_azure_requires_it(source: Source, expected: dict[str, object]) -> None:
    """A VM, image or version is one source; disks, snapshots and blobs are named one by one."""
    assert body(source)["storageProfile"] == expected


def test_a_managed_image_takes_its_generation_from_the_definition() -> None:
    """A VHD shows no generation, and Azure refuses an image of it without one."""
    source = Source(SourcePart(SourceKind.VHD, "u"), (SourcePart(SourceKind.VHD, "v", 1),), STORAGE)
    made = image_body(make_definition(generation="V2"), source, "202611.1.0", "202611")
    assert made["properties"] == {
        "hyperVGeneration": "V2",
        "storageProfile": {
            "osDisk": {"osType": "Linux", "osState": "Generalized", "blobUri": "u", "caching": "ReadWrite"},
            "dataDisks": [{"lun": 1, "blobUri": "v"}],
        },
    }
    assert made["tags"] == {"RefreshPeriod": "202611", "RefreshVersion": "ubuntu/202611.1.0"}


@pytest.mark.parametrize(
    ("refusal", "left"),
    [
        ("location 'westus2' is not available; available: 'westeurope,westus'", ["westeurope", "westus"]),
        ("The region West US is not allowed", ["westeurope", "westus2"]),
        ("westeurope and westus are not allowed", None),
        ("the quota is used up", None),
        ("", None),
    ],
)
def test_a_refused_region_is_left_out_unless_it_is_the_versions_own(refusal: str, left: list[str] | None) -> None:
    """The first region in Azure's refusal is no target any more; other refusals stay refusals."""
    targets = [{"name": name} for name in ("westeurope", "westus", "westus2")]
    body = {"location": "westeurope", "properties": {"publishingProfile": {"targetRegions": targets, "other": 1}}}
    found = without_refused_region(body, refusal)
    profile = found["properties"]["publishingProfile"] if found else None
    assert profile == (None if left is None else {"targetRegions": [{"name": name} for name in left], "other": 1})
    assert without_refused_region({}, refusal) is None
