"""Runs the durable functions of an app for the hub, each through its registered binding.

Decides which function a durable name refers to. Does not decide when it is called.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable

from simulator.durable import FunctionFailed, FunctionMissing
from simulator.functions.indexing import IndexedFunction
from simulator.functions.invocation import Invoker
from simulator.functions.protos import TypedData

# For each trigger type the key in its binding that can give the durable function another name.
_KINDS = {
    "orchestrationTrigger": "orchestration",
    "entityTrigger": "entityName",
    "activityTrigger": "activity",
}
# The extension's wording for a missing function, and its error types.
_NAMES_IN_ERRORS = {
    "orchestrationTrigger": "an orchestrator",
    "entityTrigger": "an entity",
    "activityTrigger": "an activity",
}
_MISSING = {
    "orchestrationTrigger": "OrchestratorFunctionNotFound",
    "entityTrigger": "EntityFunctionNotFound",
    "activityTrigger": "ActivityFunctionNotFound",
}


class AppWorker:
    """The hub's worker: runs the durable functions of the loaded app."""

    def __init__(self, functions: Iterable[IndexedFunction], invoker: Invoker) -> None:
        self._invoker = invoker
        self._functions: dict[tuple[str, str], IndexedFunction] = {}
        for function in functions:
            kind = function.trigger["type"]
            if kind in _KINDS:
                self._functions[kind, (function.trigger.get(_KINDS[kind]) or function.name).lower()] = function

    async def orchestrate(self, name: str, request: bytes) -> bytes:
        """Run one orchestrator turn."""
        return await self._exchange("orchestrationTrigger", name, request)

    async def operate(self, name: str, request: bytes) -> bytes:
        """Run one entity batch."""
        return await self._exchange("entityTrigger", name, request)

    async def act(self, name: str, payload: str | None) -> str | None:
        """Run one activity; its input and output are JSON text."""
        function = self._find("activityTrigger", name)
        result = await self._invoker.call(function, TypedData(json="null" if payload is None else payload))
        return None if result is None else str(result.json)

    async def _exchange(self, kind: str, name: str, request: bytes) -> bytes:
        body = TypedData(string=base64.b64encode(request).decode("ascii"))
        result = await self._invoker.call(self._find(kind, name), body)
        if result is None:
            raise FunctionFailed("InvalidOperation", f"{name} returned nothing")
        return base64.b64decode(result.string)

    def _find(self, kind: str, name: str) -> IndexedFunction:
        function = self._functions.get((kind, name.lower()))
        if function is None:
            what = _NAMES_IN_ERRORS[kind]
            known = ", ".join(sorted(f"'{found.name}'" for (of, _), found in self._functions.items() if of == kind))
            also = f"The following are the known {what.split()[-1]} functions: {known}."
            text = (
                f"The function '{name}' doesn't exist, is disabled, or is not {what} function. Additional info: {also}"
            )
            raise FunctionMissing(_MISSING[kind], text)
        return function
