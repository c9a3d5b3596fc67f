"""The durable entities: the dispatcher, its inbox, and what it does not keep itself, each with pure operations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from refresh.dispatcher import dispatcher, inbox, past_outcomes, vm_memory

ENTITIES: tuple[Callable[..., Any], ...] = (
    dispatcher.dispatcher,
    inbox.inbox,
    past_outcomes.past_outcomes,
    vm_memory.vm_memory,
)
