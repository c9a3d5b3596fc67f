"""The identity endpoints, called by the real identity client."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from azure.identity.aio import ManagedIdentityCredential

from simulator.clock import Clock
from simulator.identity import make_token, principal_of
from tests.unit.simulator.arm.azure import VM1, Azure, linux_vm, run_story


@contextmanager
def environment(**values: str) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def test_the_real_credential_gets_a_token_that_arm_accepts() -> None:
    """ManagedIdentityCredential works over App Service's protocol; the expiry is in the machine's time."""

    async def story(azure: Azure) -> None:
        ends = azure.endpoints
        with environment(IDENTITY_ENDPOINT=ends.identity_endpoint, IDENTITY_HEADER=ends.identity_header):
            async with ManagedIdentityCredential() as credential:
                token = await credential.get_token("https://management.azure.com/.default")
        assert token.expires_on > Clock.wall() + 300
        headers = {"Authorization": f"Bearer {token.token}"}
        assert (await azure.send("GET", f"{ends.arm}{VM1}?api-version=1", None, headers)).status == 200

    run_story(story, [linux_vm()])


def test_a_token_needs_the_right_header() -> None:
    """A wrong X-IDENTITY-HEADER is 401; the metadata endpoint needs its own header."""

    async def story(azure: Azure) -> None:
        ends = azure.endpoints
        for headers in ({}, {"X-IDENTITY-HEADER": "guess"}):
            reply = await azure.send("GET", f"{ends.identity_endpoint}?resource=x", None, headers)
            assert (reply.status, reply.body["statusCode"]) == (401, 401)
        metadata = f"{ends.arm}/metadata/identity/oauth2/token?resource=x&api-version=2018-02-01"
        assert (await azure.send("GET", metadata, None, {})).status == 400
        reply = await azure.send("GET", metadata, None, {"Metadata": "true"})
        assert (reply.status, reply.body["token_type"]) == (200, "Bearer")

    run_story(story)


def test_an_expired_token_is_no_token() -> None:
    """A valid token's principal is its object id; an expired token has none."""
    now = int(Clock.wall())
    assert principal_of(make_token("t", "client", "arm", now, now + 60)) is not None
    assert principal_of(make_token("t", "client", "arm", now - 60, now - 1)) is None
    assert principal_of("") is None
    assert principal_of("opaque") == "opaque"
