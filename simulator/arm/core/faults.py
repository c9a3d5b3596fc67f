"""Misfortune: what befalls one request, one operation, one boot.

This room decides which rule applies: in order, the first match wins, a rule with `times` wears out; where no rule
speaks a random plan may. It refuses to carry anything out: the server, the operations and the boots ask.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from simulator.arm.core.fault_plans import OperationFault, Plan, RequestFault
from simulator.arm.core.fault_rules import Ending, Rule, Serial, parse


@dataclass
class Faults:
    """The rules in force, in the order they were given, and the random plan, if there is one.

    `on_clear` is called when everything is dropped: what hangs by a fault goes on then.
    """

    rules: list[Rule] = field(default_factory=list)
    on_clear: list[Callable[[], None]] = field(default_factory=list)
    _plan: Plan | None = None
    _made: int = 0

    def add(self, rules: Sequence[Mapping[str, Any]]) -> list[str]:
        """Add `rules` after those in force and return their ids; RuleError, and none is added, when one is wrong."""
        parsed = []
        for rule in rules:
            self._made += 1
            parsed.append(parse(rule, f"fault-{self._made}"))
        self.rules.extend(parsed)
        return [rule.id for rule in parsed]

    def plan(
        self, seed: int, rate: float, kinds: Sequence[str] | None = None, *, hang_limit_s: float | None = None
    ) -> None:
        """Let chance decide where no rule does; RuleError for a rate outside 0 to 1 or an unknown kind.

        `rate` is the share of requests and of operations something befalls; `hang_limit_s` ends an operation that
        hangs, which otherwise lasts until the faults are cleared. The same seed deals the same fates to the same
        sequence of requests, one path and one resource at a time.
        """
        self._plan = Plan.of(seed, rate, kinds, hang_limit_s)

    def clear(self) -> None:
        """Drop every rule and the plan, and let go what hangs."""
        self.rules.clear()
        self._plan = None
        for listener in self.on_clear:
            listener()

    def request_fault(self, method: str, path: str) -> RequestFault:
        """What befalls a request."""
        for rule in self.rules:
            if rule.matches_request(method, path):
                rule.count_use()
                return RequestFault(rule.respond, rule.reset, rule.delay_s, rule.nothing)
        return self._plan.request_fault(method, path) if self._plan else RequestFault()

    def operation_fault(self, operation: str, resource_id: str) -> OperationFault:
        """What befalls an operation on a resource."""
        for rule in self.rules:
            if rule.matches_operation(operation, resource_id):
                rule.count_use()
                duration_s = rule.duration_s if rule.duration_s is not None else rule.after_s
                return OperationFault(duration_s, rule.fail, hangs=rule.hang, nothing=rule.nothing)
        return self._plan.operation_fault(operation, resource_id) if self._plan else OperationFault()

    def custom_data(self, vm_id: str) -> tuple[Ending, float | None]:
        """How a VM's custom data ends, and after how many seconds where a rule says so: the first rule naming it."""
        for rule in self.rules:
            if rule.matches_custom_data(vm_id):
                rule.count_use()
                return rule.ends, rule.takes_s
        return "ok", None

    def boot(self, disk_id: str) -> tuple[Serial | None, float | None]:
        """How a boot from the disk goes wrong (None: it boots), and how many seconds it takes where a rule says so.

        The first rule naming the disk decides.
        """
        for rule in self.rules:
            if rule.matches_disk(disk_id):
                rule.count_use()
                return None if rule.boots else rule.serial, rule.takes_s
        return None, None
