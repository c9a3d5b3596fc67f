"""Failures as problem details: what they show and what they never show."""

from __future__ import annotations

import json

import azure.functions as func
import pytest

from refresh.gateways.errors import GatewayError, NotFound, Refused, Unavailable
from refresh.settings.settings import SettingsError
from refresh.triggers.http.problem import MEDIA_TYPE, Problem, ProblemKind, path_of, problem_of


@pytest.mark.parametrize(
    ("error", "status", "detail"),
    [
        (Unavailable("TooManyRequests", "slow down"), 503, "TooManyRequests"),
        (Refused("AuthorizationFailed", "no role"), 502, "AuthorizationFailed: no role"),
        (NotFound("SubscriptionNotFound", "gone"), 502, "SubscriptionNotFound"),
        (GatewayError("ResultTruncated", "half"), 502, "ResultTruncated"),
        (SettingsError(["REFRESH_MAX_SWAPS='x': must be a number"]), 503, "settings"),
        (RuntimeError("https://x/?sig=secret"), 500, "fault of the app"),
    ],
    ids=["throttled", "refused", "not found", "other", "settings", "bug"],
)
def test_every_failure_is_a_problem_with_its_status(error: Exception, status: int, detail: str) -> None:
    """Every failure becomes problem details, with Azure's message and without an exception's text."""
    answer = problem_of(error, "get_vms").response("/api/vms")
    body = json.loads(answer.get_body())
    assert answer.status_code == body["status"] == status
    assert answer.mimetype == MEDIA_TYPE
    assert set(body) >= {"type", "title", "status", "detail", "instance"}
    assert detail in body["detail"]
    assert "secret" not in json.dumps(body)


def test_retry_after_of_azure_is_passed_on() -> None:
    """Retry-After of a throttled ARM is passed on in whole seconds, rounded up; without it there is none."""
    throttled = problem_of(Unavailable("TooManyRequests", "slow down", retry_after_s=16.2), "x").response("/")
    assert throttled.headers["Retry-After"] == "17"
    assert "Retry-After" not in problem_of(Unavailable("Unreachable", "no answer"), "x").response("/").headers


def test_all_wrong_settings_are_named() -> None:
    """The errors list every setting to correct."""
    body = json.loads(problem_of(SettingsError(["one", "two"]), "x").response("/").get_body())
    assert [error["detail"] for error in body["errors"]] == ["one", "two"]


def test_a_problems_type_is_stable_and_its_own() -> None:
    """No two kinds of problem share a type."""
    types = [json.loads(Problem(kind, "x").response("/").get_body())["type"] for kind in ProblemKind]
    assert len(set(types)) == len(types)


def test_a_key_in_the_url_is_never_repeated() -> None:
    """`instance` is the path without the query."""
    req = func.HttpRequest("GET", "https://app/api/vms?code=system-key&vm=x", body=b"")
    assert path_of(req) == "/api/vms"
