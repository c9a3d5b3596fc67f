"""Reads what is recorded of the VM that a wished disk may be kept for."""

from __future__ import annotations

from typing import Any

from refresh.dispatcher.memory import hold_of
from refresh.domain.vm.reservation import Hold
from refresh.reading.dispatcher_state import read_dispatcher_state
from refresh.reading.swap.preflight_facts import HoldOf
from refresh.reading.vm_memory import read_vm_memory


def recorded_holds(client: Any) -> HoldOf:
    """What the dispatcher and `vm_memory` have, read by a durable client. Raises grpc.RpcError when it is unread."""

    async def read(vm_id: str) -> Hold:
        state = await read_dispatcher_state(client)
        return hold_of(vm_id, state, await read_vm_memory(client, [vm_id]))

    return read
