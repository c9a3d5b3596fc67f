"""The HTTP API shows how old the image versions of VMs are, from lists alone."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from tests.support.worlds.builders import GALLERY
from tests.support.worlds.local_azure import LocalAzure, disk_body, play, vm_body
from tests.support.worlds.month_world import gallery_bodies, version_body

DEFINITION = f"{GALLERY}/images/ubuntu"
PUBLISHED = {"202609": 63, "202610": 33, "202611": 2}


def fleet(now: datetime) -> list[dict[str, Any]]:
    """Three VMs on the versions of three months and one on no image; today is `now`."""
    bodies = [*gallery_bodies()]
    for month, days_ago in PUBLISHED.items():
        version = version_body(f"{DEFINITION}/versions/{month}.1.0")
        at = (now - timedelta(days=days_ago + 0.5)).isoformat()
        version["properties"]["publishingProfile"]["publishedDate"] = at
        creation = {"createOption": "FromImage", "galleryImageReference": {"id": version["id"]}}
        disk = disk_body(f"vm{month}-old", creationData=creation, timeCreated=at)
        bodies += [version, disk, vm_body(f"vm{month}")]
    return [*bodies, vm_body("bare"), vm_body("out", AutoRefresh="false")]


def paths(azure: LocalAzure) -> list[str]:
    found = azure.simulator.journal.to_json(azure.clock.now())["requests"]
    return [row["path"] for row in found if row["path"].startswith("/subscriptions/")]


def test_the_list_of_vms_shows_freshness_and_drift() -> None:
    """Every record has version, age and days behind; `drift=true` lists VMs not on the latest version, worst first."""

    async def story(azure: LocalAzure) -> None:
        azure.simulator.put_resources(fleet(azure.clock.now()))
        status, answer = await azure.api("GET", "/api/vms")
        assert status == 200
        rows = {row["vm"].rsplit("/", 1)[-1]: row for row in answer["value"]}
        assert {name: (row["version"], row["disk_age_days"], row["days_behind"]) for name, row in rows.items()} == {
            "vm202609": ("ubuntu/202609.1.0", 63, 61),
            "vm202610": ("ubuntu/202610.1.0", 33, 31),
            "vm202611": ("ubuntu/202611.1.0", 2, 0),
            "bare": (None, 0, None),
        }
        assert {row["latest"] for row in rows.values()} == {"ubuntu/202611.1.0"}
        assert len(paths(azure)) == 6, "the clock, and one list each of VMs, disks, sizes, definitions and versions"
        _, drift = await azure.api("GET", "/api/vms?drift=true")
        assert [row["vm"].rsplit("/", 1)[-1] for row in drift["value"]] == ["bare", "vm202609", "vm202610"]
        assert drift["value"][1] == rows["vm202609"]
        _, one = await azure.api("GET", "/api/vms?vm=vm202609")
        assert one == rows["vm202609"]

    play(story, [], events=False)


def test_the_list_of_vms_does_not_wait_for_galleries() -> None:
    """With an unreadable gallery VMs are listed without freshness; drift cannot be computed and is a problem."""

    async def story(azure: LocalAzure) -> None:
        azure.simulator.put_resources(fleet(azure.clock.now()))
        refusal = {"status": 403, "headers": {}, "body": {"error": {"code": "AuthorizationFailed", "message": "no"}}}
        azure.simulator.services.faults.add([{"match": {"path": "/images$"}, "times": 99, "respond": refusal}])
        status, answer = await azure.api("GET", "/api/vms")
        assert (status, len(answer["value"])) == (200, 4)
        assert {row["days_behind"] for row in answer["value"]} == {None}
        status, problem = await azure.api("GET", "/api/vms?drift=true")
        assert (status, problem["title"]) == (502, "Azure refused a request of the app")
        for query in ("drift=yes", "drift=true&vm=bare"):
            assert (await azure.api("GET", f"/api/vms?{query}"))[0] == 400

    play(story, [], events=False)
