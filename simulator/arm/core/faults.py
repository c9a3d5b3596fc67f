"""Faults of requests, operations, boots and custom data.

Decides which rule applies: the first match in order; `times` limits how often. Where no rule matches, the random plan
decides. Leaves applying a fault to the callers: the server, the operations and the guests.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from simulator.arm.core.fault_plans import BootFault, OperationFault, Plan, RequestFault
from simulator.arm.core.fault_rules import Ending, Rule, parse


@dataclass
class Faults:
    """The active rules, in the order they were added, and the random plan, if there is one.

    `on_clear` is called when the faults are cleared: operations that hang continue then.
    """

    rules: list[Rule] = field(default_factory=list)
    on_clear: list[Callable[[], None]] = field(default_factory=list)
    _plan: Plan | None = None
    _made: int = 0

    def add(self, rules: Sequence[Mapping[str, Any]]) -> list[str]:
        """Add `rules` after the active ones and return their ids. When one is invalid: RuleError, and none is added."""
        parsed = []
        for rule in rules:
            self._made += 1
            parsed.append(parse(rule, f"fault-{self._made}"))
        self.rules.extend(parsed)
        return [rule.id for rule in parsed]

    def plan(
        self, seed: int, rate: float, kinds: Sequence[str] | None = None, *, hang_limit_s: float | None = None
    ) -> None:
        """Add random faults where no rule matches; RuleError for a rate outside 0 to 1 or an unknown kind.

        `rate` is the share of requests and of operations with a fault; `hang_limit_s` ends an operation that hangs,
        which otherwise lasts until the faults are cleared. For each path and each resource, the same seed gives the
        same faults to the same sequence of requests.
        """
        self._plan = Plan.of(seed, rate, kinds, hang_limit_s)

    def clear(self) -> None:
        """Remove every rule and the plan; operations that hang continue."""
        self.rules.clear()
        self._plan = None
        for listener in self.on_clear:
            listener()

    def request_fault(self, method: str, path: str) -> RequestFault:
        """The fault of a request."""
        for rule in self.rules:
            if rule.matches_request(method, path):
                rule.count_use()
                return RequestFault(rule.respond, rule.reset, rule.delay_s, rule.nothing, rule.stale_s)
        return self._plan.request_fault(method, path) if self._plan else RequestFault()

    def operation_fault(self, operation: str, resource_id: str) -> OperationFault:
        """The fault of an operation on a resource."""
        for rule in self.rules:
            if rule.matches_operation(operation, resource_id):
                rule.count_use()
                duration_s = rule.duration_s if rule.duration_s is not None else rule.after_s
                return OperationFault(duration_s, rule.fail, hangs=rule.hang, nothing=rule.nothing, held_s=rule.held_s)
        return self._plan.operation_fault(operation, resource_id) if self._plan else OperationFault()

    def custom_data(self, vm_id: str) -> tuple[Ending, float | None]:
        """How a VM's custom data ends and after how many seconds (None: no rule sets it); the first match decides."""
        for rule in self.rules:
            if rule.matches_custom_data(vm_id):
                rule.count_use()
                return rule.ends, rule.takes_s
        return "ok", None

    def boot(self, disk_id: str) -> BootFault:
        """The fault of a boot from the disk. The first rule that names the disk decides."""
        for rule in self.rules:
            if rule.matches_disk(disk_id):
                rule.count_use()
                return BootFault(None if rule.boots else rule.serial, rule.takes_s, rule.reboots_after_s)
        return self._plan.boot_fault(disk_id) if self._plan else BootFault()
