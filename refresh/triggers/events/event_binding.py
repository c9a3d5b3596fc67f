"""Has the worker pass on every event, also one that the converter of azure-functions cannot read.

That converter raises, for a time that is none among others, before the function is called. The host then answers 500,
and Event Grid sends the same event again for a day. It also tries six formats for each time, a fifth of what an event
costs. Decides what an event in Event Grid's schema is read as; one in the CloudEvents schema is left to the converter.
https://github.com/Azure/azure-functions-python-library/blob/dev/azure/functions/eventgrid.py
"""

from __future__ import annotations

import json
from typing import Any

import azure.functions as func
from azure.functions import eventgrid

from refresh.domain.terms import times

_ACCEPTS = "accepts_every_event"
_CLOUD_EVENT = "specversion"


def accept_every_event() -> None:
    """Let the worker's converter for Event Grid triggers read every JSON object. A second call does nothing."""
    converter = eventgrid.EventGridEventInConverter
    strict = converter.decode
    if getattr(strict, _ACCEPTS, False):
        return

    def decode(data: Any, *, trigger_metadata: Any) -> Any:
        if data.type != "json":
            return strict(data, trigger_metadata=trigger_metadata)
        body = json.loads(data.value)
        if _CLOUD_EVENT in body:
            try:
                return strict(data, trigger_metadata=trigger_metadata)
            except Exception:  # whatever is wrong with the event, it is not worth a day of repetitions
                return _event_of(body)
        return _event_of(body)

    setattr(decode, _ACCEPTS, True)
    setattr(converter, "decode", staticmethod(decode))  # noqa: B010 - a method cannot be assigned to


def _event_of(body: dict[str, Any]) -> func.EventGridEvent:
    at = body.get("eventTime")
    # A missing field is None, as in the library's own converter.
    fields: dict[str, Any] = {
        "id": body.get("id"),
        "data": body.get("data"),
        "topic": body.get("topic"),
        "subject": body.get("subject"),
        "event_type": body.get("eventType"),
        "data_version": body.get("dataVersion"),
    }
    return func.EventGridEvent(event_time=times.parse(at) if isinstance(at, str) else None, **fields)
