"""Builds of image versions are published once each, with the row of the run; a build without a result is not."""

from __future__ import annotations

import json
from typing import Any

from tests.support.worlds.builders import DEFINITION_ID, VERSION_ID
from tests.support.worlds.local_azure import LocalAzure, play
from tests.support.worlds.month_world import gallery_bodies, vm_bodies
from tests.support.worlds.recipe_world import MACHINE, RECIPES, SUBNET, recipe_bodies

FLEET = [
    body
    for name, region in (("near", "westeurope"), ("mid", "uksouth"), ("far", "northeurope"))
    for body in ({**one, "location": region} for one in vm_bodies(name))
]
NOT_EVERYWHERE = {
    "code": "ValidationError",
    "message": "The failing regions' details are as follows: '{region:northeurope, detail:no room.}'.",
}


async def build(azure: LocalAzure, **changes: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The row of another build, and the events that it published."""
    before = len(azure.simulator.published())
    run = azure.hub.start("create_images", {"period": "202611", **changes}, None)
    await azure.hub.completed(run)
    (row,) = azure.hub.output(run)["images"]
    return row, [sent["event"] for sent in azure.simulator.published()[before:]]


def fail(azure: LocalAzure, **error: Any) -> None:
    azure.simulator.services.faults.add([{"match": {"operation": "versionCreate"}, "times": 1, "fail": error}])


def test_every_build_that_makes_a_version_or_fails_is_published_once() -> None:
    """A build publishes its regions, or its reason and commands if it fails; an existing version publishes nothing."""

    async def story(azure: LocalAzure) -> None:
        row, (event,) = await build(azure)
        assert (event["type"], event["subject"]) == ("refresh.image.published", DEFINITION_ID)
        assert event["data"] == {"run": event["data"]["run"], **row}
        assert (row["version"], row["regions"]) == ("202611.1.0", ["northeurope", "uksouth", "westeurope"])
        run = event["data"]["run"]
        assert event["id"] == f"{run}/{event['type']}"
        status, record = await azure.api("GET", f"/api/runs/{run}")
        assert (status, record["images"]) == (200, [row]), "the API returns the run of an event"
        row, sent = await build(azure)
        assert (row["reason"], sent) == ("kept", [])

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
        assert (row["decision"], event["type"]) == ("skip", "refresh.image.published"), (
            "the version is usable from now on"
        )
        ids = [sent["event"]["id"] for sent in azure.simulator.published()]
        assert len(set(ids)) == len(ids) == 5

    play(story, [*gallery_bodies(), *FLEET])


def test_a_recipe_is_published_once_at_its_end_without_secrets() -> None:
    """The capture inside a recipe has no event of its own; a failure is published with the end of the serial log."""

    async def story(azure: LocalAzure) -> None:
        azure.simulator.services.faults.add([{"cloudInit": MACHINE, "ends": "failed", "times": 1}])
        row, (event,) = await build(azure)
        assert (event["type"], event["data"]["reason"]) == ("refresh.image.failed", "no-build-marker")
        assert event["data"]["evidence"] == row["evidence"] != []
        row, (event,) = await build(azure)
        assert (event["type"], event["data"]["regions"]) == ("refresh.image.published", ["westeurope"])
        assert VERSION_ID.endswith(event["data"]["version"])
        text = json.dumps(azure.simulator.published())
        assert not [
            secret for secret in ("sig=", "eyJ", "Bearer", "ssh-", azure.endpoints.identity_header) if secret in text
        ]

    settings = {"REFRESH_RECIPES": str(RECIPES), "REFRESH_BUILD_SUBNETS": SUBNET}
    play(story, recipe_bodies(), settings=settings)
