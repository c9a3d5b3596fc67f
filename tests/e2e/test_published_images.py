"""Builds of image versions are published: each once, with the row people see, and never one that made nothing new."""

from __future__ import annotations

import json
from typing import Any

from tests.support.worlds.builders import DEFINITION_ID, VERSION_ID
from tests.support.worlds.local_azure import LocalAzure, play
from tests.support.worlds.month_world import gallery_bodies, vm_bodies
from tests.support.worlds.recipe_world import MACHINE, RECIPES, SUBNET, recipe_bodies

FLEET = [
    body
    for name, place in (("near", "westeurope"), ("mid", "uksouth"), ("far", "northeurope"))
    for body in ({**one, "location": place} for one in vm_bodies(name))
]
NOT_EVERYWHERE = {
    "code": "ValidationError",
    "message": "The failing regions' details are as follows: '{region:northeurope, detail:no room.}'.",
}


async def build(azure: LocalAzure, **asked: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The row of one more build, and what was published of it."""
    before = len(azure.simulator.published())
    run = azure.hub.start("create_images", {"period": "202611", **asked}, None)
    await azure.hub.completed(run)
    (row,) = azure.hub.output(run)["images"]
    return row, [told["event"] for told in azure.simulator.published()[before:]]


def fail(azure: LocalAzure, **error: Any) -> None:
    azure.simulator.services.faults.add([{"match": {"operation": "versionCreate"}, "times": 1, "fail": error}])


def test_every_build_that_made_a_version_or_could_not_is_told_once() -> None:
    """Published with the regions reached; nothing for one that was there; failed with the reason and the commands."""

    async def story(azure: LocalAzure) -> None:
        row, (event,) = await build(azure)
        assert (event["type"], event["subject"]) == ("refresh.image.published", DEFINITION_ID)
        assert event["data"] == {"run": event["data"]["run"], **row}
        assert (row["version"], row["regions"]) == ("202611.1.0", ["northeurope", "uksouth", "westeurope"])
        run = event["data"]["run"]
        assert event["id"] == f"{run}/{event['type']}"
        status, known = await azure.api("GET", f"/api/runs/{run}")
        assert (status, known["images"]) == (200, [row]), "whoever is told can ask for the run"
        row, told = await build(azure)
        assert (row["reason"], told) == ("kept", [])

        fail(azure, **NOT_EVERYWHERE)
        row, (event,) = await build(azure, force_rebuild=True)
        assert (event["type"], event["data"]["reason"]) == ("refresh.image.failed", "not-replicated")
        assert event["data"]["regions"] == ["uksouth", "westeurope"]
        assert event["data"]["by_hand"] == row["by_hand"] != []
        fail(azure, code="QuotaExceeded", message="no room")
        row, (event,) = await build(azure, force_rebuild=True)
        assert (event["type"], event["data"]["reason"]) == ("refresh.image.failed", "build-failed")
        assert "QuotaExceeded: no room" in event["data"]["message"]
        assert "regions" not in event["data"]

        match = {"method": "PATCH", "path": "/versions/"}
        refusal = {"status": 403, "body": {"error": {"code": "AuthorizationFailed", "message": "planned"}}}
        azure.simulator.services.faults.add([{"match": match, "times": 1, "respond": refusal}])
        row, (event,) = await build(azure, period="202612")
        assert (event["type"], event["data"]["reason"]) == ("refresh.image.failed", "azure-said-no")
        row, (event,) = await build(azure, period="202612")
        assert (row["decision"], event["type"]) == ("skip", "refresh.image.published"), "it may be used from now on"
        ids = [told["event"]["id"] for told in azure.simulator.published()]
        assert len(set(ids)) == len(ids) == 5

    play(story, [*gallery_bodies(), *FLEET])


def test_a_recipe_is_told_once_when_it_is_over_and_names_no_secret() -> None:
    """The capture inside the recipe is no event of its own; what failed is told with the machine's last words."""

    async def story(azure: LocalAzure) -> None:
        azure.simulator.services.faults.add([{"cloudInit": MACHINE, "ends": "failed", "times": 1}])
        row, (event,) = await build(azure)
        assert (event["type"], event["data"]["reason"]) == ("refresh.image.failed", "no-build-marker")
        assert event["data"]["evidence"] == row["evidence"] != []
        row, (event,) = await build(azure)
        assert (event["type"], event["data"]["regions"]) == ("refresh.image.published", ["westeurope"])
        assert VERSION_ID.endswith(event["data"]["version"])
        text = json.dumps(azure.simulator.published())
        assert not [word for word in ("sig=", "eyJ", "Bearer", "ssh-", azure.endpoints.identity_header) if word in text]

    settings = {"REFRESH_RECIPES": str(RECIPES), "REFRESH_BUILD_SUBNETS": SUBNET}
    play(story, recipe_bodies(), settings=settings)
