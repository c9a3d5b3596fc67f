"""Who gets at the HTTP API: the host asks for a key, or App Service authentication vouches for the caller."""

from __future__ import annotations

import azure.functions as func
import pytest

from refresh.triggers.http.problem import is_authentication_on
from refresh.triggers.http.routes import auth_level
from tests.support.worlds.local_azure import LocalAzure, play, vm_body

SIGNED_IN = {"X-MS-CLIENT-PRINCIPAL-ID": "11111111-1111-4111-8111-111111111111"}


@pytest.mark.parametrize(("said", "level"), [("", "FUNCTION"), ("key", "FUNCTION"), (" Entra ", "ANONYMOUS")])
def test_routes_ask_for_a_key_unless_callers_sign_in(said: str, level: str) -> None:
    """Only `entra` takes the key off the routes; a typing error does not."""
    assert auth_level({"REFRESH_API_AUTH": said}) is func.AuthLevel[level]
    assert auth_level({"REFRESH_API_AUTH": "entar"}) is func.AuthLevel.FUNCTION


def test_under_entra_a_request_nobody_vouches_for_is_refused() -> None:
    """Without the header that App Service authentication sets the API says 401 and does nothing."""

    async def story(azure: LocalAzure) -> None:
        url = f"{azure.functions}/api/queue"
        async with azure.http.get(url) as answer:
            problem = await answer.json(content_type=None)
            assert (answer.status, problem["type"].rpartition(":")[2]) == (401, "not-signed-in")
        async with azure.http.get(url, headers=SIGNED_IN) as answer:
            assert answer.status == 200

    play(story, [vm_body()], settings={"REFRESH_API_AUTH": "entra", "WEBSITE_AUTH_ENABLED": "True"})


@pytest.mark.parametrize("said", ["False", "", "yes", "1", None])
def test_no_caller_is_let_in_unless_app_service_says_that_authentication_is_on(said: str | None) -> None:
    """Without `WEBSITE_AUTH_ENABLED=True` the header is the caller's own word, and the API answers 401."""

    async def story(azure: LocalAzure) -> None:
        async with azure.http.get(f"{azure.functions}/api/queue", headers=SIGNED_IN) as answer:
            problem = await answer.json(content_type=None)
            assert (answer.status, "WEBSITE_AUTH_ENABLED" in problem["detail"]) == (401, True)

    told = {} if said is None else {"WEBSITE_AUTH_ENABLED": said}
    play(story, [vm_body()], settings={"REFRESH_API_AUTH": "entra", **told})


@pytest.mark.parametrize(
    ("said", "is_on"), [("True", True), ("true", True), (" TRUE ", True), ("", False), ("on", False)]
)
def test_authentication_is_on_in_any_case_of_the_word(said: str, is_on: bool) -> None:
    """The Functions host reads the word so, too."""
    assert is_authentication_on({"WEBSITE_AUTH_ENABLED": said}) is is_on
    assert is_authentication_on({}) is False
