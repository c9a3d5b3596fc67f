"""The names of the durable engines on the command line."""

from __future__ import annotations

from typing import Literal, get_args

EngineKind = Literal["simulated", "azure-storage"]
ENGINES: tuple[EngineKind, ...] = get_args(EngineKind)
