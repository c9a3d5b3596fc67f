"""The real `az` works against `python -m simulator serve`."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from refresh.domain.azure.galleries import Region, Version
from refresh.domain.images.manual_commands import delete_command, retry_commands
from refresh.domain.recipes.temporary_group import delete_commands
from refresh.domain.swap.manual_commands import write_commands
from tests.support.infra.az import Az, AzFailed, for_simulator, signed_out

SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"
TENANT = "72f988bf-0000-4000-8000-2d7cd011db47"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg"
VM = f"{GROUP}/providers/Microsoft.Compute/virtualMachines/vm1"
VERSION = f"{GROUP}/providers/Microsoft.Compute/galleries/g1/images/linux/versions/202601.0.0"

# az polls at once and then every 30 real seconds; at this speed every operation ends before the first poll.
SPEED = "20000"

WORLD = [
    {"id": GROUP, "location": "westeurope"},
    {
        "id": VM,
        "location": "westeurope",
        "tags": {"AutoRefresh": "true"},
        "properties": {"storageProfile": {"osDisk": {"osType": "Linux", "name": "vm1-old"}}},
    },
    {"id": f"{GROUP}/providers/Microsoft.Compute/galleries/g1", "location": "westeurope"},
    {
        "id": f"{GROUP}/providers/Microsoft.Compute/galleries/g1/images/linux",
        "location": "westeurope",
        "properties": {"osType": "Linux", "osState": "Specialized", "hyperVGeneration": "V2"},
    },
    {"id": VERSION, "location": "westeurope"},
]


@pytest.fixture(scope="module")
def ready() -> Iterator[dict[str, str]]:
    """The ready line of a served simulator with one VM and one image version."""
    command = [sys.executable, "-m", "simulator", "serve", "--port", "0", "--tls-port", "0", "--speed", SPEED]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            endpoints: dict[str, str] = json.loads(process.stdout.readline())
            _put(f"{endpoints['control']}/resources", WORLD)
            yield endpoints
        finally:
            process.terminate()
    assert process.returncode == 0


@pytest.fixture(scope="module")
def az(ready: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Az:
    """The CLI for that simulator."""
    return for_simulator(ready, SUBSCRIPTION, TENANT, tmp_path_factory.mktemp("azure"))


def _put(url: str, body: Any) -> None:
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"}, method="PUT")
    with urllib.request.urlopen(request) as response:
        assert response.status == 200


def test_az_registers_the_cloud_and_signs_in(ready: dict[str, str], tmp_path: Path) -> None:
    """`cloud register` discovers the endpoints, and `login --identity` finds the subscription."""
    fresh = signed_out(ready, tmp_path)
    fresh("cloud", "register", "-n", "LocalArm", "--endpoint-resource-manager", ready["arm_tls"])
    fresh("cloud", "set", "-n", "LocalArm")
    signed_in = fresh("login", "--identity")
    assert SUBSCRIPTION in [account["id"] for account in signed_in]
    assert {account["tenantId"] for account in signed_in} == {TENANT}


def test_az_swaps_the_os_disk_of_a_vm(az: Az) -> None:
    """After disk create from a gallery version, deallocate, update --os-disk and start the VM runs the new disk."""
    assert az("vm", "show", "-g", "rg", "-n", "vm1")["storageProfile"]["osDisk"]["name"] == "vm1-old"

    made = az("disk", "create", "-g", "rg", "-n", "vm1-new", "--gallery-image-reference", VERSION)
    assert (made["diskState"], made["provisioningState"]) == ("Unattached", "Succeeded")
    assert made["creationData"]["galleryImageReference"]["id"] == VERSION

    az("vm", "deallocate", "-g", "rg", "-n", "vm1")
    assert _power(az) == "PowerState/deallocated"

    swapped = az("vm", "update", "-g", "rg", "-n", "vm1", "--os-disk", "vm1-new")
    assert swapped["storageProfile"]["osDisk"]["name"] == "vm1-new"

    az("vm", "start", "-g", "rg", "-n", "vm1")
    assert _power(az) == "PowerState/running"
    shown = az("vm", "show", "-g", "rg", "-n", "vm1")
    assert shown["storageProfile"]["osDisk"]["managedDisk"]["id"].lower() == made["id"].lower()
    assert az("disk", "show", "-g", "rg", "-n", "vm1-new")["diskState"] == "Attached"
    assert az("disk", "show", "-g", "rg", "-n", "vm1-old")["diskState"] == "Unattached"


def test_az_shows_an_image_version(az: Az) -> None:
    """`sig image-version show` finds the version by its names."""
    names = ("--gallery-name", "g1", "--gallery-image-definition", "linux", "--gallery-image-version", "202601.0.0")
    shown = az("sig", "image-version", "show", "-g", "rg", *names)
    assert shown["id"].lower() == VERSION.lower()
    assert shown["provisioningState"] == "Succeeded"


def test_az_merges_tags_and_resource_graph_finds_them(az: Az) -> None:
    """`tag update --operation Merge` keeps other tags; Resource Graph and `vm list` return the result."""
    updated = az("tag", "update", "--resource-id", VM, "--operation", "Merge", "--tags", "OsDiskName=vm1-old")
    assert updated["properties"]["tags"] == {"AutoRefresh": "true", "OsDiskName": "vm1-old"}

    query = "resources | where tags.OsDiskName == 'vm1-old' | project id, wanted = tags.OsDiskName"
    url = "/providers/Microsoft.ResourceGraph/resources?api-version=2021-03-01"
    body = json.dumps({"subscriptions": [SUBSCRIPTION], "query": query})
    answer = az("rest", "--method", "post", "--url", url, "--body", body)
    assert answer["data"] == [{"id": VM, "wanted": "vm1-old"}]
    assert answer["resultTruncated"] == "false"

    (listed,) = az("vm", "list")
    assert listed["tags"]["OsDiskName"] == "vm1-old"


def test_az_registers_a_resource_provider(ready: dict[str, str], az: Az) -> None:
    """az lists providers, registers one and reads its state, as the deployment does."""
    _put(
        f"{ready['control']}/resources", [{"id": f"/subscriptions/{SUBSCRIPTION}", "_notRegistered": ["Microsoft.App"]}]
    )
    query = "[?registrationState!='Registered'].namespace"
    assert az("provider", "list", "--query", query) == ["Microsoft.App"]
    az("provider", "register", "--namespace", "Microsoft.App")
    assert az("provider", "show", "--namespace", "Microsoft.App")["registrationState"] == "Registered"
    assert az("provider", "list", "--query", query) == []


def test_az_reports_what_arm_refuses(az: Az) -> None:
    """A missing VM ends with exit code 3, an invalid query with ARM's message."""
    with pytest.raises(AzFailed) as missing:
        az("vm", "show", "-g", "rg", "-n", "missing")
    assert missing.value.code == 3
    assert "ResourceNotFound" in missing.value.stderr

    url = "/providers/Microsoft.ResourceGraph/resources?api-version=2021-03-01"
    with pytest.raises(AzFailed) as bad:
        az("rest", "--method", "post", "--url", url, "--body", json.dumps({"query": "resources | mv-expand tags"}))
    assert "mv-expand" in bad.value.stderr


def test_the_manual_commands_of_an_outcome_restore_a_vm(ready: dict[str, str], az: Az) -> None:
    """The commands of an outcome that needs a person restore the old disk and start the VM."""
    stranded, old = f"{VM}-stranded", f"{GROUP}/providers/Microsoft.Compute/disks/stranded-old"
    os_disk = {"osType": "Linux", "name": "stranded-bad"}
    vm = {"id": stranded, "location": "westeurope", "_power": "deallocated", "tags": {"AutoRefresh": "true"}}
    disk = {"id": old, "location": "westeurope", "properties": {"osType": "Linux", "hyperVGeneration": "V2"}}
    _put(f"{ready['control']}/resources", [disk, {**vm, "properties": {"storageProfile": {"osDisk": os_disk}}}])
    commands = write_commands(stranded, old)
    assert commands[0].endswith("AutoRefresh=hold")
    for command in commands:
        program, *arguments = shlex.split(command)
        assert program == "az"
        az(*arguments)
    shown = az("vm", "show", "--ids", stranded, "--show-details")
    assert shown["storageProfile"]["osDisk"]["name"] == "stranded-old"
    assert shown["powerState"] == "VM running"
    assert shown["tags"]["AutoRefresh"] == "true"


def test_the_manual_commands_of_a_build_finish_or_delete_its_version(ready: dict[str, str], az: Az) -> None:
    """The commands of a run's row retry a region with its profile, and delete a version and a managed image."""
    left, image = VERSION.replace("202601", "202602"), f"{GROUP}/providers/Microsoft.Compute/images/linux-202602.0.0"
    profile = {
        "targetRegions": [{"name": "westeurope", "regionalReplicaCount": 3}],
        "storageAccountType": "Standard_ZRS",
    }
    body = {"id": left, "location": "westeurope", "properties": {"publishingProfile": profile}}
    _put(f"{ready['control']}/resources", [body, {"id": image, "location": "westeurope"}])
    there = Region("westeurope", "Completed", replicas=3, storage="Standard_ZRS")
    version = Version(left, "202602.0.0", "westeurope", "Failed", (there, Region("uksouth", "Failed")))
    for command in retry_commands(version):
        az(*shlex.split(command)[1:])
    gallery = ("-g", "rg", "-r", "g1", "-i", "linux", "-e", "202602.0.0")
    regions = az("sig", "image-version", "show", *gallery)["publishingProfile"]["targetRegions"]
    assert [(one["name"], one["regionalReplicaCount"]) for one in regions] == [("West Europe", 3), ("UK South", 1)]
    for resource in (left, image):
        az(*shlex.split(delete_command(resource))[1:])
    assert az("image", "list", "-g", "rg") == []
    with pytest.raises(AzFailed) as gone:
        az("sig", "image-version", "show", *gallery)
    assert "not found" in gone.value.stderr


def test_the_manual_commands_of_a_build_delete_a_locked_group(ready: dict[str, str], az: Az) -> None:
    """The commands of a run's row delete the locks inside a temporary group, and then the group."""
    group = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/refresh-build-linux-0123456789ab"
    nic = f"{group}/providers/Microsoft.Network/networkInterfaces/machine-nic"
    lock = {"id": f"{nic}/providers/Microsoft.Authorization/locks/keep", "properties": {"level": "CanNotDelete"}}
    _put(f"{ready['control']}/resources", [{"id": group}, {"id": nic, "location": "westeurope"}, lock])
    show, unlock, delete = (shlex.split(command)[1:] for command in delete_commands(group))
    with pytest.raises(AzFailed) as locked:
        az(*delete)
    assert "ScopeLocked" in locked.value.stderr
    shown = subprocess.run([str(az.executable), *show], env=az.env, capture_output=True, text=True, check=True)
    az(*unlock[: unlock.index("--ids") + 1], *shown.stdout.split())
    az(*delete)
    assert az("group", "exists", "--name", group.rsplit("/", 1)[-1]) is False


def _power(az: Az) -> str:
    view = az("vm", "get-instance-view", "-g", "rg", "-n", "vm1")["instanceView"]
    return next(str(s["code"]) for s in view["statuses"] if s["code"].startswith("PowerState/"))
