"""Access to the HTTP API: with a function key, or by App Service authentication."""

from __future__ import annotations

import azure.functions as func
import pytest

from refresh.triggers.http.problem import is_authentication_on
from refresh.triggers.http.routes import auth_level
from tests.support.worlds.local_azure import LocalAzure, play, vm_body

SIGNED_IN = {"X-MS-CLIENT-PRINCIPAL-ID": "11111111-1111-4111-8111-111111111111"}


@pytest.mark.parametrize(("value", "level"), [("", "FUNCTION"), ("key", "FUNCTION"), (" Entra ", "ANONYMOUS")])
def test_routes_require_a_key_unless_callers_sign_in(value: str, level: str) -> None:
    """Only `entra` makes the routes anonymous; a misspelled value does not."""
    assert auth_level({"REFRESH_API_AUTH": value}) is func.AuthLevel[level]
    assert auth_level({"REFRESH_API_AUTH": "entar"}) is func.AuthLevel.FUNCTION


def test_with_entra_an_unauthenticated_request_is_refused() -> None:
    """Without the header that App Service authentication sets the API answers 401 and does nothing."""

    async def story(azure: LocalAzure) -> None:
        url = f"{azure.functions}/api/queue"
        async with azure.http.get(url) as answer:
            problem = await answer.json(content_type=None)
            assert (answer.status, problem["type"].rpartition(":")[2]) == (401, "not-signed-in")
        async with azure.http.get(url, headers=SIGNED_IN) as answer:
            assert answer.status == 200

    play(story, [vm_body()], settings={"REFRESH_API_AUTH": "entra", "WEBSITE_AUTH_ENABLED": "True"})


@pytest.mark.parametrize("value", ["False", "", "yes", "1", None])
def test_no_caller_is_accepted_unless_app_service_authentication_is_on(value: str | None) -> None:
    """Without `WEBSITE_AUTH_ENABLED=True` a caller could set the header itself, and the API answers 401."""

    async def story(azure: LocalAzure) -> None:
        async with azure.http.get(f"{azure.functions}/api/queue", headers=SIGNED_IN) as answer:
            problem = await answer.json(content_type=None)
            assert (answer.status, "WEBSITE_AUTH_ENABLED" in problem["detail"]) == (401, True)

    platform = {} if value is None else {"WEBSITE_AUTH_ENABLED": value}
    play(story, [vm_body()], settings={"REFRESH_API_AUTH": "entra", **platform})


@pytest.mark.parametrize(
    ("value", "is_on"), [("True", True), ("true", True), (" TRUE ", True), ("", False), ("on", False)]
)
def test_the_setting_for_authentication_is_read_in_any_case(value: str, is_on: bool) -> None:
    """The Functions host ignores case in the value as well."""
    assert is_authentication_on({"WEBSITE_AUTH_ENABLED": value}) is is_on
    assert is_authentication_on({}) is False
