"""Compute Galleries, and the resources that image versions are made from.

Decides which calls the app can make. Does not know how a call is made (`arm/gallery.py`, `arm/sources.py`). Errors are
those of `errors.py`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Protocol

from refresh.domain.azure.galleries import Definition, Version
from refresh.domain.azure.managed_images import Image
from refresh.domain.images.source_fit import SourceFacts
from refresh.domain.images.sources import SourcePart
from refresh.gateways.operations import Begun, Progress


class Gallery(Protocol):
    """Compute Galleries, their image definitions and versions."""

    def list_definitions(self, gallery_id: str) -> AsyncIterator[Definition]:
        """Every image definition of a gallery."""
        ...

    async def read_definition(self, definition_id: str) -> Definition:
        """One image definition."""
        ...

    def list_versions(self, definition_id: str) -> AsyncIterator[Version]:
        """Every version of a definition, without replication status."""
        ...

    async def read_version(self, version_id: str) -> Version:
        """One version with its replication status."""
        ...

    async def begin_create_version(self, version_id: str, body: Mapping[str, Any]) -> Begun:
        """PUT the version with exactly this ARM body; the token outlives the activity that began it."""
        ...

    async def begin_exclude_version(self, version_id: str, targets: Sequence[Mapping[str, Any]]) -> Begun:
        """Exclude this version from `latest` in every region; `targets` are its target regions as they are."""
        ...

    async def begin_admit_version(
        self, version_id: str, tags: Mapping[str, str], targets: Sequence[Mapping[str, Any]]
    ) -> Begun:
        """Include this version in `latest`, and make `tags` its tags; `targets` are its target regions as they are."""
        ...

    async def begin_create_definition(self, definition_id: str, body: Mapping[str, Any]) -> Begun:
        """PUT the image definition with exactly this ARM body."""
        ...

    async def begin_delete_version(self, version_id: str) -> Begun:
        """DELETE the version in every region. Refused while it is locked."""
        ...

    async def version_progress(self, version_id: str, token: str) -> Progress:
        """The state of the creation of `token`: one GET."""
        ...


class Sources(Protocol):
    """The sources of image versions, and the managed image that may be made between a VHD and a version."""

    async def read_source(self, part: SourcePart, storage: str | None = None) -> SourceFacts:
        """The facts of a source; of a VHD, those of its storage account `storage`. NotFound."""
        ...

    async def begin_create_image(self, image_id: str, body: Mapping[str, Any]) -> Begun:
        """PUT a managed image with exactly this ARM body."""
        ...

    def list_images(self, group_id: str) -> AsyncIterator[Image]:
        """Every managed image of a resource group (full id), all pages."""
        ...

    async def begin_delete_image(self, image_id: str) -> Begun:
        """DELETE a managed image; versions made from it stay."""
        ...
