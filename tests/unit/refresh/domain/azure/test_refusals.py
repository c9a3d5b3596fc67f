"""A denial names the right, policy or lock, its scope and the cure, and is not the disk's fault."""

from __future__ import annotations

import pytest

from refresh.domain.azure.refusals import describe_refusal, is_denied, policy_text, read_denial
from refresh.domain.swap.blame import UNHEALTHY, is_disk_to_blame, is_start_hopeless
from refresh.domain.terms.swap_reason import Reason
from tests.support.worlds.builders import GROUP, VM_ID, disk_id

WHO = "The client 'a' with object id 'b'"
ACTION = "Microsoft.Compute/virtualMachines/start/action"
IDENTIFIERS = (
    f'[{{"policyAssignment":{{"name":"No restarts","id":"{GROUP}/x/keep"}},"policyDefinition":{{"name":"d"}}}}]'
)


@pytest.mark.parametrize(
    ("code", "message", "reason", "named"),
    [
        (
            "AuthorizationFailed",
            f"{WHO} does not have authorization to perform action '{ACTION}' over scope '{VM_ID}' or the scope is "
            "invalid. If access was recently granted, please refresh your credentials.",
            Reason.RIGHTS_MISSING,
            (ACTION, VM_ID),
        ),
        (
            "LinkedAuthorizationFailed",
            f"{WHO} has permission to perform action 'Microsoft.Compute/virtualMachines/write' on scope '{VM_ID}'; "
            "however, it does not have permission to perform action(s) 'Microsoft.Compute/disks/write' on the linked "
            f"scope(s) '{disk_id('new')}' (respectively) or the linked scope(s) are invalid.",
            Reason.LINKED_RIGHTS_MISSING,
            ("Microsoft.Compute/virtualMachines/write", VM_ID, "Microsoft.Compute/disks/write", disk_id("new")),
        ),
        (
            "DenyAssignmentAuthorizationFailed",
            f"{WHO} has permission to perform action '{ACTION}' on scope '{VM_ID}'; however, the access is denied "
            "because of the deny assignment with name 'Managed' and Id 'c' at scope '/x'.",
            Reason.DENY_ASSIGNMENT,
            ("'Managed'", ACTION, VM_ID),
        ),
        (
            "RequestDisallowedByPolicy",
            f"Resource 'web01' was disallowed by policy. Policy identifiers: '{IDENTIFIERS}'.",
            Reason.DISALLOWED_BY_POLICY,
            ("'No restarts'", f"{GROUP}/x/keep"),
        ),
        (
            "RequestDisallowedByPolicy",
            f"Resource 'web01' was disallowed by policy. {policy_text('No restarts', '/x/keep')}",
            Reason.DISALLOWED_BY_POLICY,
            ("'No restarts'", "/x/keep"),
        ),
        (
            "ScopeLocked",
            f"The scope '{VM_ID}' cannot perform write operation because following scope(s) are locked: '{GROUP}'. "
            "Please remove the lock and try again.",
            Reason.LOCKED,
            (f"a lock on {GROUP}",),
        ),
    ],
)
def test_a_denial_has_its_reason_with_action_and_scope(
    code: str, message: str, reason: Reason, named: tuple[str, ...]
) -> None:
    """Each of Azure's denials has its own reason, names what Azure's message names, and ends with a cure."""
    denial = read_denial(code, message)
    assert denial is not None
    assert denial.reason is reason
    assert all(name in denial.message for name in named), denial.message
    assert ": have " in denial.message


@pytest.mark.parametrize("code", ["AuthorizationFailed", "LinkedAuthorizationFailed", "ScopeLocked"])
def test_an_unknown_message_is_quoted(code: str) -> None:
    """A denial with an unknown message quotes the message and adds the cure."""
    denial = read_denial(code, "something new")
    assert denial is not None
    assert denial.message.startswith("something new")
    assert "have " in denial.message


def test_other_refusals_are_no_denials() -> None:
    """An error about the disk or the VM is not a denial."""
    assert read_denial("PropertyChangeNotAllowed", "no") is None
    assert not is_denied("Conflict")
    assert not is_denied(None)


def test_only_the_disks_own_failures_are_its_fault() -> None:
    """A stop, a denial, missing capacity or a health check without a read of the VM is not the disk's fault."""
    assert is_disk_to_blame("health", UNHEALTHY)
    assert is_disk_to_blame("new-disk", "PropertyChangeNotAllowed")
    assert is_disk_to_blame("start", "InternalExecutionError")
    assert not is_disk_to_blame("health", "SubscriptionRequestsThrottled")
    assert not is_disk_to_blame("stop", "InternalExecutionError")
    assert not is_disk_to_blame("new-disk", "ScopeLocked")
    assert not is_disk_to_blame("start", "AllocationFailed")
    assert is_start_hopeless("start", "AuthorizationFailed")
    assert not is_start_hopeless("stop", "AuthorizationFailed")
    assert not is_start_hopeless("start", "InternalExecutionError")


def test_a_refusal_that_may_be_cut_off_names_the_right_first() -> None:
    """The action comes before the scope and within a row's 200 characters; other errors are quoted."""
    message = (
        "The client 'a06235ec-913f-5545-8bb3-4cc4df9589b3' with object id 'a06235ec-913f-5545-8bb3-4cc4df9589b3' does "
        "not have authorization to perform action 'Microsoft.Compute/disks/delete' over scope '/subscriptions' or the "
        "scope is invalid. If access was recently granted, please refresh your credentials."
    )
    text = describe_refusal("AuthorizationFailed", message)
    assert text.startswith("AuthorizationFailed: the app's identity lacks Microsoft.Compute/disks/delete on ")
    assert describe_refusal("Conflict", "busy") == "Conflict: busy"
