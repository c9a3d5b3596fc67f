"""`GET /api/orphans` lists incomplete resources of builds with the commands that delete them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from refresh.domain.recipes import temporary_group
from tests.support.worlds.builders import GALLERY, SUBSCRIPTION, disk_id
from tests.support.worlds.local_azure import LocalAzure, disk_body, play, vm_body
from tests.support.worlds.month_world import gallery_bodies, version_body

DEFINITION = f"{GALLERY}/images/ubuntu"
BESIDE = GALLERY.split("/providers/")[0]
SUBNET = f"{BESIDE}/providers/Microsoft.Network/virtualNetworks/net/subnets/build"
RUN = "proof-202601-1a2b3c4d"
PROOF = temporary_group.group_id(SUBNET, temporary_group.PROOF, DEFINITION, RUN)


def version(number: str, state: str, **properties: Any) -> dict[str, Any]:
    body = version_body(f"{DEFINITION}/versions/{number}")
    body["tags"] = {"RefreshChecks": "pending"}
    body["properties"] |= {"provisioningState": state, **properties}
    return body


def image(name: str, stands_for: str | None) -> dict[str, Any]:
    tags = {"RefreshVersion": stands_for} if stands_for else {}
    return {"id": f"{BESIDE}/providers/Microsoft.Compute/images/{name}", "location": "westeurope", "tags": tags}


def left_over(azure: LocalAzure) -> list[dict[str, Any]]:
    long_ago = (azure.clock.now() - timedelta(days=2)).isoformat()
    excluded = {"targetRegions": [{"name": "westeurope"}], "excludeFromLatest": True}
    creation = {"createOption": "FromImage", "galleryImageReference": {"id": f"{DEFINITION}/versions/202601.1.0"}}
    finished = version("202601.1.0", "Succeeded")
    return [
        *gallery_bodies(),
        {**finished, "tags": {"RefreshChecks": "passed"}},
        version("202602.1.0", "Failed"),
        version("202603.1.0", "Succeeded", publishingProfile={**excluded, "publishedDate": long_ago}),
        version("202604.1.0", "Succeeded", publishingProfile=excluded),
        {**version("1.0.0", "Failed"), "tags": {}},
        image("ubuntu-202601.1.0", "ubuntu/202601.1.0"),
        image("ubuntu-202602.1.0", "ubuntu/202602.1.0"),
        image("foreign", None),
        disk_body("web01-202601", creationData=creation, provisioningState="Failed"),
        disk_body("web01-202602", creationData=creation),
        disk_body("foreign", provisioningState="Failed"),
        vm_body(),
        {"id": PROOF, "location": "westeurope", "tags": {"RefreshRun": RUN, "RefreshFor": "proof"}},
        {"id": f"{PROOF}-2", "location": "westeurope", "tags": {"RefreshRun": RUN, "RefreshFor": "proof"}},
    ]


def test_every_incomplete_resource_is_listed_with_its_commands() -> None:
    """Lists failed disks, failed or stuck versions, images without a version, groups of dead runs; deletes nothing."""

    async def story(azure: LocalAzure) -> None:
        azure.simulator.put_resources(left_over(azure))
        before = {record.id.text for record in azure.simulator.store.everything()}
        status, answer = await azure.api("GET", "/api/orphans")
        assert status == 200, answer
        delete = "az resource delete --ids "
        assert [(row["kind"], row["id"]) for row in answer["value"]] == [
            ("disk", disk_id("web01-202601")),
            ("version", f"{DEFINITION}/versions/202602.1.0"),
            ("version", f"{DEFINITION}/versions/202603.1.0"),
            ("image", f"{BESIDE}/providers/Microsoft.Compute/images/ubuntu-202602.1.0"),
            ("group", PROOF),
        ]
        for row in answer["value"][:4]:
            assert row["commands"] == [delete + row["id"]]
        assert answer["value"][4]["commands"][-1] == (
            f"az group delete --name {PROOF.rsplit('/', 1)[1]} --subscription {SUBSCRIPTION} --yes"
        )
        assert {record.id.text for record in azure.simulator.store.everything()} == before

    play(story, [], settings={"REFRESH_BUILD_SUBNETS": SUBNET}, events=False)


def test_nothing_under_way_is_an_orphan() -> None:
    """Versions and images of a definition under build, and the group of an open run, are not listed."""

    async def story(azure: LocalAzure) -> None:
        checked = f"{DEFINITION}/versions/202604.1.0"  # with it the build would wait
        azure.simulator.put_resources([body for body in left_over(azure) if body["id"] != checked])
        azure.simulator.services.faults.add([{"match": {"operation": "versionCreate"}, "hang": True}])
        _, begun = await azure.api("POST", "/api/images", {"period": "202612"})
        await azure.until(lambda: any(name.startswith("build-") for name in azure.hub.orchestrations.instances))
        mine = temporary_group.group_id(SUBNET, temporary_group.PROOF, DEFINITION, begun["id"])
        azure.simulator.put_resources([{"id": mine, "tags": {"RefreshRun": begun["id"]}}])
        _, answer = await azure.api("GET", "/api/orphans")
        assert [row["kind"] for row in answer["value"]] == ["disk", "group"], answer
        assert answer["value"][1]["id"] == PROOF
        azure.simulator.services.faults.clear()

    play(story, [], settings={"REFRESH_BUILD_SUBNETS": SUBNET}, events=False)
