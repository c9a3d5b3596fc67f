"""A VM with a spare disk and an image version of each of several past months."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from tests.support.worlds.builders import GALLERY
from tests.support.worlds.local_azure import disk_body, vm_body
from tests.support.worlds.month_world import gallery_bodies, version_body

DEFINITION = f"{GALLERY}/images/ubuntu"
MONTHS = ("202601", "202602", "202603", "202604", "202605")
BEGINNING = datetime.fromisoformat("2026-01-01T00:00:00+00:00")


def version_id(month: str) -> str:
    return f"{DEFINITION}/versions/{month}.1.0"


def version_of(month: str, published: datetime) -> dict[str, Any]:
    body = version_body(version_id(month))
    body["properties"]["publishingProfile"]["publishedDate"] = published.isoformat()
    return body


def aged_fleet() -> list[dict[str, Any]]:
    """A VM with a spare disk of each month and their image versions, all made before April 2025."""
    bodies = [*gallery_bodies(), vm_body(OsDiskPrevious="web01-202602")]
    for number, month in enumerate(MONTHS):
        made = BEGINNING - timedelta(days=400 - 30 * number)
        creation = {"createOption": "FromImage", "galleryImageReference": {"id": version_id(month)}}
        bodies += [
            version_of(month, made),
            disk_body(f"web01-{month}", creationData=creation, timeCreated=made.isoformat()),
        ]
    return [*bodies, disk_body("web01-202501")]
