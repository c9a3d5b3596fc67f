"""Orchestrations that run a recipe and prove a version."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from refresh.orchestrations.recipes import build_vm, prove_version, run_recipe

ORCHESTRATIONS: tuple[Callable[..., Any], ...] = (
    run_recipe.run_recipe,
    build_vm.build_vm,
    prove_version.prove_version,
)
