"""The names of the durable engines, as a command line takes them."""

from __future__ import annotations

from typing import Literal, get_args

EngineKind = Literal["simulated", "azure-storage"]
ENGINES: tuple[EngineKind, ...] = get_args(EngineKind)
