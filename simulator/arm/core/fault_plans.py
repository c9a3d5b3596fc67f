"""Random faults, reproducible by their seed.

Decides which faults occur at random and how often. Each fault depends on the seed, on the method and path (or the
operation and resource) and on how often the same request came before; requests on other paths do not change it. The
kinds in `NAMED_KINDS` have draws of their own: a plan draws the other faults in the same way with and without them.
Leaves applying a fault to the server, the operations and the guests.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from simulator.arm.core.errors import ArmError, conflict, preempted
from simulator.arm.core.fault_rules import Reset, RuleError, Serial, can_be_stale

_REQUEST_KINDS = ("refused", "throttled", "error500", "error503", "reset", "nothing", "slowRead")
_OPERATION_KINDS = ("failed", "slow", "hang")
# Kinds that a plan has only if it names them.
NAMED_KINDS = ("staleRead", "preempted", "extension", "guestReboot")
KINDS = (*_REQUEST_KINDS, *_OPERATION_KINDS, *NAMED_KINDS)
# Operations that a newer one preempts, and those whose end an extension delays.
_PREEMPTIBLE = ("start", "restart", "redeploy", "update")
_HELD = ("start", "restart", "redeploy")
_READS = ("throttled", "error500", "error503", "reset", "slowRead")
_WRITES = ("refused", "throttled", "error500", "error503", "reset", "nothing")


@dataclass(frozen=True)
class RequestFault:
    """The fault of one request.

    `respond`: the answer sent instead of ARM's. `reset`: the connection breaks. `delay_s`: seconds by which the answer
    is late. `nothing`: ARM answers success and changes nothing. `stale_s`: the answer has the content of that long ago.
    """

    respond: dict[str, Any] | None = None
    reset: Reset | None = None
    delay_s: float = 0.0
    nothing: bool = False
    stale_s: float = 0.0


@dataclass(frozen=True)
class OperationFault:
    """The fault of one operation.

    `duration_s` and `error` are None where the fault does not set them; `slower` multiplies the natural duration;
    `hangs`: the operation ends when the faults are cleared, or after `duration_s`; `nothing`: it succeeds and changes
    nothing; `held_s`: an extension delays its end by that long.
    """

    duration_s: float | None = None
    error: dict[str, str] | None = None
    slower: float = 1.0
    hangs: bool = False
    nothing: bool = False
    held_s: float = 0.0


@dataclass(frozen=True)
class BootFault:
    """The fault of one boot: how it fails (None: it boots), how many seconds it takes (None: as usual), and after how
    many the guest reboots itself (None: it does not)."""

    stuck: Serial | None = None
    takes_s: float | None = None
    reboots_after_s: float | None = None


@dataclass
class Plan:
    """An active random plan."""

    seed: int
    rate: float
    kinds: frozenset[str]
    hang_limit_s: float | None
    _counts: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, seed: int, rate: float, kinds: Sequence[str] | None, hang_limit_s: float | None) -> Plan:
        """Make a plan; RuleError for a rate outside 0 to 1, an unknown kind or a bad `hang_limit_s`."""
        if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 <= rate <= 1:
            raise RuleError(f"'rate' is a share between 0 and 1, not {rate!r}")
        if hang_limit_s is not None and (not isinstance(hang_limit_s, int | float) or hang_limit_s <= 0):
            raise RuleError(f"'hang_limit_s' is a number of seconds above 0, not {hang_limit_s!r}")
        for kind in kinds or ():
            if kind not in KINDS:
                raise RuleError(f"unknown kind {kind!r}; known: {', '.join(KINDS)}")
        usual = (*_REQUEST_KINDS, *_OPERATION_KINDS)
        return cls(seed, float(rate), frozenset(usual if kinds is None else kinds), hang_limit_s)

    def request_fault(self, method: str, path: str) -> RequestFault:
        """The fault of the next request of `method` on `path`."""
        random = self._random(f"{method} {path.lower()}")
        possible = [kind for kind in (_READS if method in ("GET", "HEAD") else _WRITES) if kind in self.kinds]
        if not possible or random.random() >= self.rate:
            return self._stale_read(method, path)
        kind = random.choice(possible)
        if kind == "reset":
            return RequestFault(reset=random.choice(("before", "after")))
        if kind == "nothing":
            return RequestFault(nothing=True)
        if kind == "slowRead":
            return RequestFault(delay_s=random.uniform(2, 60))
        return RequestFault(respond=_refusal(kind, random))

    def operation_fault(self, operation: str, resource_id: str) -> OperationFault:
        """The fault of the next operation of its kind on a resource."""
        random = self._random(f"{operation} {resource_id.lower()}")
        possible = [kind for kind in _OPERATION_KINDS if kind in self.kinds]
        # A tags write is synchronous: it can fail or be slow, not hang.
        possible = [kind for kind in possible if not (operation == "tags" and kind == "hang")]
        if not possible or random.random() >= self.rate:
            return self._conflict(operation, resource_id)
        kind = random.choice(possible)
        if kind == "failed":
            text = "An internal execution error occurred. Please retry later."
            return OperationFault(error={"code": "InternalExecutionError", "message": text})
        if kind == "hang":
            return OperationFault(self.hang_limit_s, hangs=True)
        slower = random.uniform(2, 20)
        return OperationFault(duration_s=slower) if operation == "tags" else OperationFault(slower=slower)

    def boot_fault(self, disk_id: str) -> BootFault:
        """The fault of the next boot from a disk."""
        random = self._random(f"guestReboot {disk_id.lower()}")
        if "guestReboot" not in self.kinds or random.random() >= self.rate:
            return BootFault()
        return BootFault(reboots_after_s=random.uniform(1, 180))

    def _stale_read(self, method: str, path: str) -> RequestFault:
        random = self._random(f"staleRead {method} {path.lower()}")
        if "staleRead" not in self.kinds or not can_be_stale(method, path) or random.random() >= self.rate:
            return RequestFault()
        return RequestFault(stale_s=random.uniform(1, 20))

    def _conflict(self, operation: str, resource_id: str) -> OperationFault:
        random = self._random(f"conflict {operation} {resource_id.lower()}")
        possible = {"preempted": _PREEMPTIBLE, "extension": _HELD}
        kinds = [kind for kind, operations in possible.items() if kind in self.kinds and operation in operations]
        if not kinds or random.random() >= self.rate:
            return OperationFault()
        if random.choice(kinds) == "preempted":
            return OperationFault(error=preempted())
        return OperationFault(held_s=random.uniform(60, 1800))

    def _random(self, what: str) -> Random:
        self._counts[what] = count = self._counts.get(what, 0) + 1
        return Random(f"{self.seed}|{what}|{count}")  # noqa: S311 # reproducible, not secret


def _refusal(kind: str, random: Random) -> dict[str, Any]:
    if kind == "refused":
        return {"status": 409, "body": conflict().body()}
    if kind == "error500":
        text = "The server encountered an internal error. Please retry the request."
        return {"status": 500, "body": ArmError(500, "InternalServerError", text).body()}
    if kind == "error503":
        return {"status": 503}
    seconds = random.randint(1, 60)
    text = f"Number of requests exceeded. Please try again after '{seconds}' seconds."
    body = ArmError(429, "SubscriptionRequestsThrottled", text).body()
    return {"status": 429, "headers": {"Retry-After": str(seconds)}, "body": body}
