"""Image versions from every kind of existing source, each swapped onto the VM that names the image."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.support.worlds.builders import GALLERY, GROUP, disk_id
from tests.support.worlds.local_azure import LocalAzure, disk_body, play, vm_body
from tests.support.worlds.month_world import definition_body, version_body

ELSEWHERE = "/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/rg-base"
BASE = f"{ELSEWHERE}/providers/Microsoft.Compute/galleries/base/images/ubuntu"
COMPUTE = f"{GROUP}/providers/Microsoft.Compute"
GOLDEN = f"{COMPUTE}/virtualMachines/golden"
SNAPSHOT = f"{COMPUTE}/snapshots/golden-data"
IMAGE = f"{COMPUTE}/images/packed"
STORAGE = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/packedimages"
VHD = "https://packedimages.blob.core.windows.net/vhds/ubuntu.vhd"
IMAGES_TOML = f"""
[images.via-image]
location = "westeurope"
publisher = "contoso"
offer = "ubuntu"
sku = "packed"
os_type = "Linux"
os_state = "Generalized"
generation = "V2"

[images.via-image.tags]
RefreshSource = "{VHD}"
RefreshSourceStorage = "{STORAGE}"
RefreshPersonalizes = "true"

[images.via-image.publish]
via_managed_image = true
regions = ["UK South"]
storage = "Standard_ZRS"
replicas = 2
end_of_life_days = 90
"""
GENERALIZED = {"osState": "Generalized"}
SOURCES: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "from-vm": ({"RefreshSource": GOLDEN}, {}),
    "from-image": ({"RefreshSource": IMAGE}, GENERALIZED),
    "from-latest": ({"RefreshSource": f"{BASE}/versions/latest"}, {}),
    "from-pinned": ({"RefreshSource": f"{BASE}/versions/1.9.0"}, {}),
    "from-disk": ({"RefreshSource": disk_id("golden-spare"), "RefreshSourceLun0": SNAPSHOT}, {}),
    "from-snapshot": ({"RefreshSource": f"{COMPUTE}/snapshots/golden-os"}, {}),
    "from-vhd": ({"RefreshSource": VHD, "RefreshSourceStorage": STORAGE}, GENERALIZED),
}
NAMES = (*SOURCES, "via-image")


def snapshot_body(snapshot: str, size_gb: int) -> dict[str, Any]:
    properties = {"osType": "Linux", "hyperVGeneration": "V2", "diskSizeGB": size_gb, "diskState": "Unattached"}
    return {"id": snapshot, "location": "westeurope", "properties": {**properties, "provisioningState": "Succeeded"}}


def scenario() -> list[dict[str, Any]]:
    generation2 = {"properties": {"hyperVGeneration": "V2"}}
    return [
        vm_body("golden", AutoRefresh="no"),
        disk_body("golden-spare"),
        snapshot_body(f"{COMPUTE}/snapshots/golden-os", 30),
        snapshot_body(SNAPSHOT, 64),
        {"id": IMAGE, "location": "westeurope", **generation2},
        {"id": STORAGE, "location": "westeurope"},
        {"id": GALLERY, "location": "westeurope"},
        definition_body(BASE, {}),
        *(version_body(f"{BASE}/versions/{name}") for name in ("1.9.0", "1.10.0")),
        *(
            definition_body(
                f"{GALLERY}/images/{name}",
                {"AutoRefresh": "true", "RefreshPersonalizes": "true", **tags},
                **properties,
            )
            for name, (tags, properties) in SOURCES.items()
        ),
        *(vm_body(name, RefreshImage=name) for name in NAMES),
    ]


async def month(azure: LocalAzure, **fields: Any) -> dict[str, Any]:
    status, begun = await azure.api("POST", "/api/refresh", {"all": True, "rollout": "auto", **fields})
    assert status == 202, begun
    await azure.hub.completed(begun["id"])
    return dict((await azure.api("GET", begun["href"]))[1])


def test_a_month_from_every_source_ends_with_each_vm_on_a_disk_from_its_own(tmp_path: Path) -> None:
    """For seven kinds of sources and one new definition a version is built, published and swapped onto a VM."""

    async def story(azure: LocalAzure) -> None:
        run = await month(azure, period="202611")
        assert {row["definition"].rsplit("/", 1)[-1]: row["reason"] for row in run["images"]} == dict.fromkeys(
            NAMES, "made"
        ), run["images"]
        for name in NAMES:
            vm = await azure.vm(f"{COMPUTE}/virtualMachines/{name}")
            disk = await azure.arm("GET", vm["properties"]["storageProfile"]["osDisk"]["managedDisk"]["id"])
            made_from = disk["properties"]["creationData"]["galleryImageReference"]["id"]
            assert made_from == f"{GALLERY}/images/{name}/versions/202611.1.0"
        assert {row["status"] for row in run["vms"]} == {"succeeded"}
        assert azure.journal(GOLDEN)["stops"] == 0
        await check_what_was_published(azure)

    path = tmp_path / "images.toml"
    path.write_text(IMAGES_TOML)
    play(story, scenario(), settings={"REFRESH_IMAGES": str(path)})


async def check_what_was_published(azure: LocalAzure) -> None:
    """Sources come from the tags, `latest` is resolved, data disks have their LUN, publishing follows images.toml."""

    async def storage(name: str) -> dict[str, Any]:
        body = await azure.arm("GET", f"{GALLERY}/images/{name}/versions/202611.1.0")
        return dict(body["properties"]["storageProfile"])

    assert (await storage("from-vm"))["source"]["virtualMachineId"] == GOLDEN
    assert (await storage("from-image"))["source"]["id"] == IMAGE
    assert (await storage("from-latest"))["source"]["id"] == f"{BASE}/versions/1.10.0"
    assert (await storage("from-pinned"))["source"]["id"] == f"{BASE}/versions/1.9.0"
    disks = await storage("from-disk")
    assert disks["osDiskImage"]["source"] == {"id": disk_id("golden-spare")}
    assert [(one["lun"], one["source"], one["sizeInGB"]) for one in disks["dataDiskImages"]] == [
        (0, {"id": SNAPSHOT}, 64)
    ]
    assert (await storage("from-vhd"))["osDiskImage"]["source"] == {"storageAccountId": STORAGE, "uri": VHD}
    image = f"{GALLERY.split('/providers')[0]}/providers/Microsoft.Compute/images/via-image-202611.1.0"
    assert (await storage("via-image"))["source"]["id"] == image
    assert (await azure.arm("GET", image))["properties"]["storageProfile"]["osDisk"]["blobUri"] == VHD

    definition = await azure.arm("GET", f"{GALLERY}/images/via-image")
    assert definition["properties"]["hyperVGeneration"] == "V2"
    assert definition["properties"]["features"] == [{"name": "SecurityType", "value": "Standard"}]
    version = await azure.arm("GET", f"{GALLERY}/images/via-image/versions/202611.1.0")
    profile = version["properties"]["publishingProfile"]
    assert [(one["name"], one["regionalReplicaCount"]) for one in profile["targetRegions"]] == [
        ("West Europe", 2),
        ("UK South", 2),
    ]
    assert (profile["storageAccountType"], profile["excludeFromLatest"]) == ("Standard_ZRS", False)
    assert profile["endOfLifeDate"].endswith("T00:00:00Z")
    assert version["tags"] == {"RefreshPeriod": "202611", "RefreshChecks": "passed"}
