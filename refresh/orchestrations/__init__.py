"""Orchestrators: replay-safe generators that decide the order of activities and nothing else.

A folder for each capability; its `__init__` names the orchestrations to register.
"""

from __future__ import annotations

from refresh.orchestrations import disks, images, recipes, retention, selfcheck, swap

ORCHESTRATIONS = (
    *disks.ORCHESTRATIONS,
    *images.ORCHESTRATIONS,
    *recipes.ORCHESTRATIONS,
    *retention.ORCHESTRATIONS,
    *selfcheck.ORCHESTRATIONS,
    *swap.ORCHESTRATIONS,
)
