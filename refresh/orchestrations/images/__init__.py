"""Orchestrations that build image versions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from refresh.orchestrations.images import build_image, create_images

ORCHESTRATIONS: tuple[Callable[..., Any], ...] = (
    create_images.create_images,
    build_image.build_image,
)
