"""Every subscription is read by itself, several at once."""

from __future__ import annotations

import asyncio

import pytest

from refresh.gateways.errors import GatewayError, Refused, Unavailable
from refresh.reading.fleet.each_subscription import SUBSCRIPTIONS_AT_ONCE, Parts, about, read_each, read_within
from simulator.clock import Clock, run


def read_all(names: list[str], read_s: float = 1.0) -> tuple[Parts[str], float, int]:
    """Read `names`, of which those called `refused` and `odd` fail; also how long it took, and how many at once."""
    at_once: list[str] = []
    most = 0

    async def read(name: str) -> str:
        nonlocal most
        at_once.append(name)
        most = max(most, len(at_once))
        await asyncio.sleep(read_s)
        at_once.remove(name)
        if name == "refused":
            raise Refused("AuthorizationFailed", "no")
        if name == "odd":
            raise KeyError("unforeseen")
        return f"of {name}"

    async def main(clock: Clock) -> tuple[Parts[str], float, int]:
        began = clock.time()
        return await read_each(names, read), clock.time() - began, most

    return run(main, Clock("virtual"))


def test_a_failure_leaves_out_only_its_subscription() -> None:
    """A refusal and an unforeseen error are each the reason of one subscription; all others are read."""
    parts, _, _ = read_all(["a", "refused", "B", "odd", "c"])
    assert dict(parts.read) == {"a": "of a", "b": "of b", "c": "of c"}
    assert {name: error.code for name, error in parts.unread.items()} == {
        "refused": "AuthorizationFailed",
        "odd": "UnexpectedError",
    }
    assert "KeyError" in str(parts.unread["odd"])


def test_subscriptions_are_read_beside_each_other_within_a_limit() -> None:
    """Three times the limit take three times as long as one; never more than the limit are read at once."""
    _, took_s, most = read_all([f"s{number}" for number in range(3 * SUBSCRIPTIONS_AT_ONCE)])
    assert most == SUBSCRIPTIONS_AT_ONCE
    assert took_s == pytest.approx(3.0, abs=0.1)


def test_a_read_that_hangs_ends_at_its_limit() -> None:
    """A call without an answer raises Unavailable once the limit has passed."""

    async def main(clock: Clock) -> float:
        began = clock.time()
        with pytest.raises(Unavailable, match="within 60 seconds"):
            await read_within(lambda: asyncio.sleep(100_000))
        return clock.time() - began

    assert run(main, Clock("virtual")) == pytest.approx(60.0, abs=0.1)


@pytest.mark.parametrize("kind", [GatewayError, Refused, Unavailable])
def test_an_error_about_a_subscription_keeps_its_kind(kind: type[GatewayError]) -> None:
    """Kind, code, status and Retry-After stay, and the message names the subscription."""
    error = about("s1", kind("Code", "text", status=403, retry_after_s=5.0))
    assert type(error) is kind
    assert (error.code, error.status, error.retry_after_s) == ("Code", 403, 5.0)
    assert error.message == "subscription s1: text"
