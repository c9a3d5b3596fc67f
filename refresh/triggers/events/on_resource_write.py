"""The Event Grid function: sends the id of a VM that was written to the inbox, and does nothing else.

Never calls ARM, and events that arrive together share a signal. A malformed event is one log line and an answer of
success, because Event Grid would only send it again unchanged; one about a VM that lacks only its time still counts. A
signal that fails is an error, so the event is sent again.
"""

from __future__ import annotations

import json
import logging

import azure.functions as func
from azure.durable_functions import DurableFunctionsClient

from refresh.domain.terms import times
from refresh.domain.terms.encodable import encodable
from refresh.domain.vm.hints import Ignored, hint_from_event
from refresh.triggers.events.event_batches import EventBatches

_log = logging.getLogger(__name__)
_batches = EventBatches()


async def on_resource_write(event: func.EventGridEvent, client: DurableFunctionsClient) -> None:
    """Hint the inbox at the VM that `event` is about, if it is about one."""
    try:
        data = event.get_json()
    except (ValueError, json.JSONDecodeError):
        data = None
    # An event in the CloudEvents schema arrives as another class, without this field.
    found = hint_from_event(getattr(event, "event_type", None), event.subject, data)
    if isinstance(found, Ignored):
        if found.malformed:
            _log.warning("event %.60r cannot be read: %s", event.id, encodable(found.why))
        return
    at = event.event_time.isoformat() if event.event_time else None
    if times.parse_plausible(at) is None:
        # The VM is read in any case: its event has no other use for the time.
        _log.warning("event %.60r has no time that can be read; its VM is looked at", event.id)
        at = None
    await _batches.send(client, found.vm, at)
