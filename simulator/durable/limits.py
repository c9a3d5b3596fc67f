"""The limits of the durable hub: how much work runs at once, and how long a handed-out message stays hidden.

Decides the default values. Does not read host.json: that is `simulator.functions.host_json`.
"""

from __future__ import annotations

from dataclasses import dataclass

# How long the Azure Storage provider hides a message from other workers, unless host.json sets another time.
# https://learn.microsoft.com/azure/azure-functions/durable/durable-functions-bindings#host-json
_HIDDEN_S = 300.0


@dataclass(frozen=True)
class Limits:
    """How much of each kind runs at once (host.json `extensions.durableTask`); the defaults are those of one processor.

    `work_item_hidden_s` and `control_hidden_s` are how many seconds the message of an activity, and the message of a
    turn or an entity batch, stays hidden from other workers. `sorts_calls`: the entities' message sorter is on.
    https://learn.microsoft.com/azure/azure-functions/durable/durable-functions-bindings#host-json
    """

    activities: int = 10
    orchestrators: int = 10
    entities: int = 10
    entity_batch: int = 5000
    work_item_hidden_s: float = _HIDDEN_S
    control_hidden_s: float = _HIDDEN_S
    sorts_calls: bool = True
