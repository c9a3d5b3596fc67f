"""Reads the settings of host.json that the local host uses: the route prefix and the Durable extension's limits.

Decides the defaults, and refuses values that the extension refuses at its start. Ignores all other settings.
https://learn.microsoft.com/azure/azure-functions/durable/durable-functions-bindings#host-json
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simulator.durable import Limits

# The extension's default, which is gRPC's: larger messages between it and a durable client are refused.
DEFAULT_MESSAGE_BYTES = 4 * 1024**2
_DEFAULT_REORDER_WINDOW_MINUTES = 30


class HostJsonRefused(ValueError):
    """host.json has a value with which the Durable extension does not start; the text is the extension's."""


@dataclass(frozen=True)
class HostJson:
    """`route_prefix` without slashes at its ends, the `limits` of the hub, and the largest gRPC message in bytes."""

    route_prefix: str
    limits: Limits
    max_message_bytes: int

    @classmethod
    def read(cls, app_dir: Path) -> HostJson:
        """Read an app's host.json; without the file all values are defaults. HostJsonRefused, ValueError (not JSON)."""
        path = app_dir / "host.json"
        document: dict[str, Any] = json.loads(path.read_text()) if path.is_file() else {}
        extensions = document.get("extensions", {})
        durable = extensions.get("durableTask", {})
        default = Limits()
        storage = durable.get("storageProvider", {})
        window = durable.get("entityMessageReorderWindowInMinutes", _DEFAULT_REORDER_WINDOW_MINUTES)
        return cls(
            route_prefix=str(extensions.get("http", {}).get("routePrefix", "api")).strip("/"),
            limits=Limits(
                activities=_positive(durable, "maxConcurrentActivityFunctions", default.activities),
                orchestrators=_positive(durable, "maxConcurrentOrchestratorFunctions", default.orchestrators),
                entities=_positive(durable, "maxConcurrentEntityFunctions", default.entities),
                entity_batch=_positive(durable, "maxEntityOperationBatchSize", default.entity_batch),
                work_item_hidden_s=_seconds(storage, "workItemQueueVisibilityTimeout", default.work_item_hidden_s),
                control_hidden_s=_control_hidden_s(storage, default.control_hidden_s),
                sorts_calls=int(window) != 0,
            ),
            max_message_bytes=int(durable.get("maxGrpcMessageSizeInBytes", DEFAULT_MESSAGE_BYTES)),
        )


def _positive(durable: dict[str, Any], name: str, default: int) -> int:
    value = int(durable.get(name, default))
    if value <= 0:
        raise HostJsonRefused(f"{name[0].upper()}{name[1:]} must be a positive integer value.")
    return value


def _control_hidden_s(storage: dict[str, Any], default: float) -> float:
    # Only this one of the two visibility timeouts has bounds.
    seconds = _seconds(storage, "controlQueueVisibilityTimeout", default)
    if not 60 <= seconds <= 3600:
        raise HostJsonRefused("ControlQueueVisibilityTimeout must be between 1 and 60 minutes.")
    return seconds


def _seconds(storage: dict[str, Any], name: str, default: float) -> float:
    if name not in storage:
        return default
    hours, minutes, seconds = str(storage[name]).split(":")
    days, _, hours = hours.rpartition(".")
    return int(days or 0) * 86_400 + int(hours) * 3600 + int(minutes) * 60 + float(seconds)
