"""Activities that build a VM from a recipe, capture it, and prove a version on a throw-away VM."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from refresh.activities.recipes import (
    ensure_build_group,
    ensure_build_vm,
    ensure_generalized,
    ensure_group_gone,
    ensure_proof_vm,
    find_leftovers,
    plan_proof,
    plan_recipe,
    watch_build_vm,
)

ACTIVITIES: tuple[Callable[..., Any], ...] = (
    plan_recipe.plan_recipe,
    ensure_build_group.ensure_build_group,
    ensure_build_vm.ensure_build_vm,
    watch_build_vm.watch_build_vm,
    ensure_generalized.ensure_generalized,
    ensure_group_gone.ensure_group_gone,
    plan_proof.plan_proof,
    ensure_proof_vm.ensure_proof_vm,
)
CLIENT_ACTIVITIES: tuple[Callable[..., Any], ...] = (find_leftovers.find_leftovers,)
"""Activities that take a durable client besides their input."""
