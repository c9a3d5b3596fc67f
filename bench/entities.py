"""Runs the durable entities of one version of the app in this process, and measures what their operations cost.

Decides when signals are delivered: at once, in order, those with a time when asked. An operation is measured as
durabletask executes it: its input and the entity's state are read from JSON, and the new state and the answer are
written as JSON. An operation that is not measured gets the state as it is, which makes long preparations short.
"""

from __future__ import annotations

import time
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, override

from durabletask.entities import EntityContext, EntityInstanceId
from durabletask.internal import orchestrator_service_pb2 as pb
from durabletask.internal.entity_state_shim import StateShim
from durabletask.serialization import JsonDataConverter

_JSON = JsonDataConverter()


class _AsItIs(JsonDataConverter):
    """Keeps a state as the object it is."""

    @override
    def serialize(self, value: Any) -> Any:
        return value

    @override
    def deserialize(self, data: Any, target_type: type | None = None) -> Any:
        return data


_AS_IT_IS = _AsItIs()


@dataclass(frozen=True)
class Start:
    """An orchestration that an entity has started."""

    name: str
    instance_id: str
    data: Any


@dataclass
class Cost:
    """The operations of one kind: how many there were, and the CPU time of each that was measured, in seconds."""

    calls: int = 0
    each_s: list[float] = field(default_factory=list)

    @property
    def measured(self) -> int:
        """How many were measured."""
        return len(self.each_s)

    @property
    def total_s(self) -> float:
        """The CPU time of all operations, from the mean of those that were measured."""
        return sum(self.each_s) / self.measured * self.calls if self.measured else 0.0


class _State:
    """The state of one entity, as text or as an object, whichever was stored last."""

    def __init__(self) -> None:
        self._text: str | None = None
        self._value: Any = None

    @property
    def text(self) -> str | None:
        if self._text is None and self._value is not None:
            self.text = _JSON.serialize(self._value)
        return self._text

    @text.setter
    def text(self, text: str | None) -> None:
        self._text, self._value = text, None

    @property
    def value(self) -> Any:
        if self._value is None and self._text is not None:
            self.value = _JSON.deserialize(self._text)
        return self._value

    @value.setter
    def value(self, value: Any) -> None:
        self._text, self._value = None, value


@dataclass
class Entities:
    """The entities by id (`@name@key`), which the registered `functions` run.

    The first operation of a kind is measured, and every `measure_every`-th after it; none for 0. `starts` are the
    orchestrations that were started, `costs` what operations cost since they were last taken, by entity name and
    operation.
    """

    functions: Mapping[str, Callable[..., Any]]
    measure_every: int = 0
    starts: deque[Start] = field(default_factory=deque)
    costs: dict[tuple[str, str], Cost] = field(default_factory=lambda: defaultdict(Cost))
    _states: dict[str, _State] = field(default_factory=lambda: defaultdict(_State))
    _signals: deque[pb.SendSignalAction] = field(default_factory=deque)
    _later: list[pb.SendSignalAction] = field(default_factory=list)
    _spent_s: float = 0.0

    def call(self, entity_id: EntityInstanceId, operation: str, data: Any) -> tuple[Any, float]:
        """Do an operation and what it signals to others; its answer, and the measured CPU time of all in seconds."""
        self._spent_s = 0.0
        answer = self._do(str(entity_id), str(operation), _JSON.serialize(data))
        self._deliver()
        return answer, self._spent_s

    def deliver_later(self) -> float:
        """Deliver the signals whose time was still to come; the measured CPU time in seconds."""
        self._spent_s = 0.0
        self._signals.extend(self._later)
        self._later.clear()
        self._deliver()
        return self._spent_s

    def take_costs(self) -> dict[tuple[str, str], Cost]:
        """What operations have cost since the last call."""
        costs, self.costs = self.costs, defaultdict(Cost)
        return costs

    def sizes(self) -> dict[str, int]:
        """The length of each entity's stored state in bytes, by id."""
        return {name: len((state.text or "").encode()) for name, state in self._states.items()}

    def value_of(self, entity_id: str) -> Any:
        """The state of one entity, to be read only."""
        return self._states[entity_id].value

    def _deliver(self) -> None:
        while self._signals:
            signal = self._signals.popleft()
            self._do(signal.instanceId, signal.name, signal.input.value)

    def _do(self, entity_id: str, operation: str, encoded: str | None) -> Any:
        parsed, state = EntityInstanceId.parse(entity_id), self._states[entity_id]
        function, cost = self.functions[parsed.entity], self.costs[parsed.entity, operation]
        cost.calls += 1
        if self.measure_every and (cost.calls - 1) % self.measure_every == 0:
            shim = StateShim(state.text, _JSON, is_serialized=True)
            context = EntityContext("", operation, shim, parsed, _JSON)
            began_s = time.process_time()
            encoded_answer = _JSON.serialize(function(context, _JSON.deserialize(encoded)))
            took_s = time.process_time() - began_s
            cost.each_s.append(took_s)
            self._spent_s += took_s
            state.text, answer = shim.encode_state(), _JSON.deserialize(encoded_answer)
        else:
            shim = StateShim(state.value, _AS_IT_IS)
            answer = function(EntityContext("", operation, shim, parsed, _JSON), _JSON.deserialize(encoded))
            state.value = shim.encode_state()
        shim.commit()
        for action in shim.get_operation_actions():
            self._note(action)
        return answer

    def _note(self, action: pb.OperationAction) -> None:
        if action.HasField("sendSignal"):
            signal = action.sendSignal
            (self._later if signal.HasField("scheduledTime") else self._signals).append(signal)
        elif action.HasField("startNewOrchestration"):
            start = action.startNewOrchestration
            self.starts.append(Start(start.name, start.instanceId, _JSON.deserialize(start.input.value)))
