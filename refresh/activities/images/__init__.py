"""Activities that build, watch, check and publish image versions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from refresh.activities.images import (
    admit_version,
    begin_version,
    discard_version,
    explain_version,
    list_builds,
    make_definition,
    make_image,
    plan_version,
    watch_version,
)

ACTIVITIES: tuple[Callable[..., Any], ...] = (
    list_builds.list_builds,
    plan_version.plan_version,
    make_definition.make_definition,
    make_image.make_image,
    begin_version.begin_version,
    watch_version.watch_version,
    admit_version.admit_version,
    discard_version.discard_version,
    explain_version.explain_version,
)
CLIENT_ACTIVITIES: tuple[Callable[..., Any], ...] = ()
"""Activities that take a durable client besides their input."""
