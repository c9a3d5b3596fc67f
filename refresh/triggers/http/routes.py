"""The routes of the HTTP API: which function answers which method and route, below the route prefix `api`.

Every route has auth level FUNCTION, where a function key gives every right of the API, unless callers sign in with
Entra. `function_app` registers this table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import azure.functions as func

from refresh.triggers.http.get_orphans import get_orphans
from refresh.triggers.http.get_queue import get_queue
from refresh.triggers.http.get_runs import get_run, get_runs
from refresh.triggers.http.get_vms import get_vms
from refresh.triggers.http.post_cancel import post_cancel
from refresh.triggers.http.post_pause import post_pause, post_resume
from refresh.triggers.http.post_retention import post_retention
from refresh.triggers.http.post_rollback import post_rollback
from refresh.triggers.http.post_runs import post_adopt, post_disks, post_images, post_refresh, post_swap, post_tags
from refresh.triggers.http.post_selfcheck import get_selfcheck, post_selfcheck
from refresh.triggers.http.problem import Handler, signs_in


@dataclass(frozen=True)
class Route:
    """One entry of the API."""

    method: str
    route: str
    handler: Handler


ROUTES = (
    Route("POST", "images", post_images),
    Route("POST", "disks", post_disks),
    Route("POST", "tags", post_tags),
    Route("POST", "swap", post_swap),
    Route("POST", "adopt", post_adopt),
    Route("POST", "rollback", post_rollback),
    Route("POST", "refresh", post_refresh),
    Route("POST", "retention", post_retention),
    Route("POST", "selfcheck", post_selfcheck),
    Route("GET", "selfcheck", get_selfcheck),
    Route("POST", "pause", post_pause),
    Route("POST", "resume", post_resume),
    Route("GET", "vms", get_vms),
    Route("GET", "orphans", get_orphans),
    Route("GET", "queue", get_queue),
    Route("GET", "runs", get_runs),
    Route("GET", "runs/{id}", get_run),
    Route("POST", "runs/{id}/cancel", post_cancel),
)


def auth_level(env: Mapping[str, str]) -> func.AuthLevel:
    """The auth level of every route. With Entra none: App Service authentication checks the requests then."""
    return func.AuthLevel.ANONYMOUS if signs_in(env) else func.AuthLevel.FUNCTION
