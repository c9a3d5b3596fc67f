"""The functions that reach Azure: each reads, decides through the domain, acts, and returns one record.

A folder for each capability; its `__init__` names the functions to register. Orchestrations call them by name.
"""

from __future__ import annotations

from refresh.activities import disks, images, notifications, recipes, retention, selfcheck, swap

ACTIVITIES = (
    *disks.ACTIVITIES,
    *images.ACTIVITIES,
    *notifications.ACTIVITIES,
    *recipes.ACTIVITIES,
    *retention.ACTIVITIES,
    *selfcheck.ACTIVITIES,
    *swap.ACTIVITIES,
)
CLIENT_ACTIVITIES = (
    *disks.CLIENT_ACTIVITIES,
    *images.CLIENT_ACTIVITIES,
    *notifications.CLIENT_ACTIVITIES,
    *recipes.CLIENT_ACTIVITIES,
    *retention.CLIENT_ACTIVITIES,
    *selfcheck.CLIENT_ACTIVITIES,
    *swap.CLIENT_ACTIVITIES,
)
