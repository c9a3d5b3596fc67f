"""images.toml over the HTTP API: dry runs show it, all its errors are returned, and every run reads it again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.support.worlds.builders import GALLERY
from tests.support.worlds.local_azure import LocalAzure, play, vm_body
from tests.support.worlds.month_world import GOLDEN, gallery_bodies

IMAGES_TOML = f"""
[images.hardened]
location = "westeurope"
publisher = "contoso"
offer = "ubuntu"
sku = "hardened"
os_type = "Linux"
os_state = "Specialized"
generation = "V2"
tags = {{ RefreshSource = "{GOLDEN}", RefreshPersonalizes = "true" }}
"""


def writes(azure: LocalAzure) -> list[str]:
    requests = azure.simulator.journal.to_json(azure.clock.now())["requests"]
    return [row["path"] for row in requests if row["method"] in ("PUT", "PATCH", "DELETE")]


def test_a_dry_run_plans_a_new_definition_completely_and_changes_nothing(tmp_path: Path) -> None:
    """The dry run of a month plans the definition, its version, the disk from it and the swap to that disk."""

    async def story(azure: LocalAzure) -> None:
        request = {"dryRun": True, "vms": ["web01"], "period": "202611", "rollout": "auto"}
        status, answer = await azure.api("POST", "/api/refresh", request)
        assert status == 200, answer
        images = {row["definition"].rsplit("/", 1)[-1]: row for row in answer["images"]}
        made = images["hardened"]
        assert (made["decision"], made["reason"], made["version"]) == ("create", "missing", "202611.1.0")
        assert made["message"].startswith("the image definition will be made, and version 202611.1.0 will be made from")
        (row,) = answer["plan"]
        assert (row["decision"], row["wanted"]) == ("swap", "web01-202611"), row
        assert writes(azure) == []

    path = tmp_path / "images.toml"
    path.write_text(IMAGES_TOML)
    scenario = [*gallery_bodies({"RefreshSource": GOLDEN}), vm_body("web01", RefreshImage="hardened")]
    play(story, scenario, settings={"REFRESH_IMAGES": str(path)})


def test_every_error_of_the_file_is_returned_and_nothing_is_built_before_it_is_fixed(tmp_path: Path) -> None:
    """A dry run returns every error and a run fails with them; once the file is valid the next run builds."""
    path = tmp_path / "images.toml"

    async def run(azure: LocalAzure) -> Any:
        _, begun = await azure.api("POST", "/api/images", {"period": "202611"})
        await azure.hub.completed(begun["id"])
        return (await azure.api("GET", begun["href"]))[1]

    async def story(azure: LocalAzure) -> None:
        path.write_text(IMAGES_TOML.replace("Linux", "BSD").replace("generation", "gen"))
        status, problem = await azure.api("POST", "/api/images", {"dryRun": True})
        assert status == 503
        details = "; ".join(one["detail"] for one in problem["errors"])
        assert all(part in details for part in ("os_type must be one of", "generation must be one of", "'gen'")), (
            problem
        )
        broken = await run(azure)
        assert (broken["status"], "os_type must be one of" in broken["message"]) == ("failed", True)
        assert writes(azure) == []
        path.write_text(IMAGES_TOML)
        repaired = await run(azure)
        assert {row["reason"] for row in repaired["images"]} == {"made"}
        assert (await azure.arm("GET", f"{GALLERY}/images/hardened"))["properties"]["hyperVGeneration"] == "V2"

    play(story, [*gallery_bodies(), vm_body("web01")], settings={"REFRESH_IMAGES": str(path)})
