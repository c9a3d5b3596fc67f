"""Orchestrations of looks and swaps: one look at a time, one run for each swap, one run for many VMs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from refresh.orchestrations.swap import look, swap_vm, swap_vms

ORCHESTRATIONS: tuple[Callable[..., Any], ...] = (
    look.look,
    swap_vm.swap_vm,
    swap_vms.swap_vms,
)
