"""What host.json says that the local host obeys: the route prefix and the limits of the Durable extension.

Decides defaults. Does not know the other few hundred settings of host.json.
https://learn.microsoft.com/azure/azure-functions/durable/durable-functions-bindings#host-json
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simulator.durable import Limits

# The extension's default, gRPC's own: larger messages between it and a durable client are refused.
DEFAULT_MESSAGE_BYTES = 4 * 1024**2


@dataclass(frozen=True)
class HostJson:
    """`route_prefix` without slashes at its ends, the `limits` of the hub, and the largest gRPC message in bytes."""

    route_prefix: str
    limits: Limits
    max_message_bytes: int

    @classmethod
    def read(cls, app_dir: Path) -> HostJson:
        """Read host.json of an app; without the file everything is default. ValueError if it is not JSON."""
        path = app_dir / "host.json"
        document: dict[str, Any] = json.loads(path.read_text()) if path.is_file() else {}
        extensions = document.get("extensions", {})
        durable = extensions.get("durableTask", {})
        default = Limits()
        timeout = durable.get("storageProvider", {}).get("workItemQueueVisibilityTimeout")
        return cls(
            route_prefix=str(extensions.get("http", {}).get("routePrefix", "api")).strip("/"),
            limits=Limits(
                activities=int(durable.get("maxConcurrentActivityFunctions", default.activities)),
                orchestrators=int(durable.get("maxConcurrentOrchestratorFunctions", default.orchestrators)),
                entities=int(durable.get("maxConcurrentEntityFunctions", default.entities)),
                entity_batch=int(durable.get("maxEntityOperationBatchSize", default.entity_batch)),
                redelivery_s=default.redelivery_s if timeout is None else _seconds(timeout),
            ),
            max_message_bytes=int(durable.get("maxGrpcMessageSizeInBytes", DEFAULT_MESSAGE_BYTES)),
        )


def _seconds(timespan: str) -> float:
    hours, minutes, seconds = timespan.split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(seconds)
