"""Events about writes to the simulated ARM.

Decides the record of one successful or failed write on one resource. Does not know the listeners.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

WriteKind = Literal["write", "delete", "action"]


@dataclass(frozen=True)
class WriteEvent:
    """One write on one resource, passed to the listeners when it took effect or failed.

    `resource_id` is the id as stored (for a tags write: the tagged resource); `scope` is the authorization scope, which
    for a tags write ends in `/providers/Microsoft.Resources/tags/default`. `operation_name` is Azure's action name,
    such as `Microsoft.Resources/tags/write`.
    """

    resource_id: str
    scope: str
    operation_name: str
    kind: WriteKind
    method: str
    url: str
    at: datetime
    correlation_id: str
    client_request_id: str | None
    status: Literal["Succeeded", "Failed"]


Listener = Callable[[WriteEvent], None]
