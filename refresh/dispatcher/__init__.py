"""The durable entities: the dispatcher, with the pure operations on its state, and what it does not keep itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from refresh.dispatcher import dispatcher, past_outcomes, vm_memory

ENTITIES: tuple[Callable[..., Any], ...] = (dispatcher.dispatcher, past_outcomes.past_outcomes, vm_memory.vm_memory)
