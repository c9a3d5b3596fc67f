"""Has the worker pass on every event, also one that the converter of azure-functions cannot read.

That converter raises, for a time that is none among others, before the function is called. The host then answers 500,
and Event Grid sends the same event again for a day. Decides what such an event is read as: everything but its time.
https://github.com/Azure/azure-functions-python-library/blob/dev/azure/functions/eventgrid.py
"""

from __future__ import annotations

import json
from typing import Any

import azure.functions as func
from azure.functions import eventgrid

_ACCEPTS = "accepts_every_event"


def accept_every_event() -> None:
    """Let the worker's converter for Event Grid triggers read every JSON object. A second call does nothing."""
    converter = eventgrid.EventGridEventInConverter
    strict = converter.decode
    if getattr(strict, _ACCEPTS, False):
        return

    def decode(data: Any, *, trigger_metadata: Any) -> Any:
        try:
            return strict(data, trigger_metadata=trigger_metadata)
        except NotImplementedError:  # the host sent something else than JSON
            raise
        except Exception:  # whatever is wrong with the event, it is not worth a day of repetitions
            body = json.loads(data.value)
        return func.EventGridEvent(
            id=body.get("id"),
            data=body.get("data"),
            topic=body.get("topic"),
            subject=body.get("subject"),
            event_type=body.get("eventType"),
            event_time=None,
            data_version=body.get("dataVersion"),
        )

    setattr(decode, _ACCEPTS, True)
    setattr(converter, "decode", staticmethod(decode))  # noqa: B010 - a method cannot be assigned to
