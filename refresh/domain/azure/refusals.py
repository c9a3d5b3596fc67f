"""Azure's refusals that are not the fault of disk or VM: a missing right, a policy, a lock.

Decides which error codes mean that, what the message names (action, scope, policy assignment), and the cure. Where the
message names nothing, nothing is guessed: it is quoted as it is. Does not know what was requested.
https://learn.microsoft.com/azure/role-based-access-control/troubleshooting
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from refresh.domain.terms.swap_reason import Reason

_RIGHTS = re.compile(r"perform action '(?P<action>[^']+)' (?:over|on) scope '(?P<scope>[^']+)'")
# https://github.com/kubernetes-sigs/azuredisk-csi-driver/pull/2610
_LINKED = re.compile(r"perform action\(s\) '(?P<action>[^']+)' on the linked scope\(s\) '(?P<scope>[^']+)'")
_DENY = re.compile(r"deny assignment with name '(?P<name>[^']+)'")
# In the message itself, or added to it by `arm/errors.py` from the error's details:
# https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/error-policy-requestdisallowedbypolicy
_POLICY = re.compile(r'"policyAssignment":\s*{\s*"name":\s*"(?P<name>[^"]+)",\s*"id":\s*"(?P<id>[^"]+)"')
_POLICY_TEXT = re.compile(r"policy assignment '(?P<name>[^']+)' \((?P<id>[^)]+)\)")
# https://github.com/Azure/apiops/issues/606
_LOCKED = re.compile(r"following scope\(s\) are locked: '(?P<scope>[^']+)'")


@dataclass(frozen=True)
class Denial:
    """Why Azure refuses the app's request, and one sentence with the cure."""

    reason: Reason
    message: str


def is_denied(code: str | None) -> bool:
    """Whether Azure's `code` means that the app may not do what it requested."""
    return code in _READERS


def read_denial(code: str, message: str) -> Denial | None:
    """The right, policy or lock that Azure's `code` and `message` are about; None when they are about none."""
    known = _READERS.get(code)
    if known is None:
        return None
    reason, explain = known
    return Denial(reason, explain(message))


def describe_refusal(code: str, message: str) -> str:
    """Azure's `code` and a sentence with the cure, which begins with what is missing: its end may be cut off."""
    denial = read_denial(code, message)
    return f"{code}: {denial.message if denial is not None else message}"


def reason_of(code: str | None, otherwise: Reason) -> Reason:
    """The reason of `code`; `otherwise` when the code is about no right, policy or lock."""
    return _READERS[code][0] if code in _READERS else otherwise


def policy_text(name: str, assignment_id: str) -> str:
    """A policy assignment as text; `read_denial` finds it in a message."""
    return f"policy assignment '{name}' ({assignment_id})"


def _explain_rights(message: str) -> str:
    found = _RIGHTS.search(message)
    if found is None:
        return f"{message[:300]}; have the app's role assigned there"
    return f"the app's identity lacks {found['action']} on {found['scope']}: have its role assigned there"


def _explain_linked(message: str) -> str:
    denied, linked = _RIGHTS.search(message), _LINKED.search(message)
    if denied is None or linked is None:
        return f"{message[:300]}; have the app's role assigned on the resource that the request names, too"
    return (
        f"the app's identity lacks {linked['action']} on {linked['scope']}, which {denied['action']} on "
        f"{denied['scope']} needs: have its role assigned there, too"
    )


def _explain_deny(message: str) -> str:
    found, named = _RIGHTS.search(message), _DENY.search(message)
    if found is None or named is None:
        return f"{message[:300]}; have the deny assignment exclude the app's identity"
    return (
        f"deny assignment '{named['name']}' forbids {found['action']} on {found['scope']}: have it exclude the app's "
        "identity"
    )


def _explain_policy(message: str) -> str:
    found = _POLICY_TEXT.search(message) or _POLICY.search(message.replace('\\"', '"'))
    if found is None:
        return f"{message[:300]} Have the policy exempt this VM, or use a disk that it allows"
    return (
        f"{policy_text(found['name'], found['id'])} forbids it: have the VM exempted, or use a disk that the "
        "policy allows"
    )


def _explain_lock(message: str) -> str:
    found = _LOCKED.search(message)
    if found is None:
        return f"{message[:300]}; have the lock removed for the time of the swap"
    return f"a lock on {found['scope']} forbids it: have it removed for the time of the swap"


_READERS: Mapping[str | None, tuple[Reason, Callable[[str], str]]] = {
    "AuthorizationFailed": (Reason.RIGHTS_MISSING, _explain_rights),
    "LinkedAuthorizationFailed": (Reason.LINKED_RIGHTS_MISSING, _explain_linked),
    "DenyAssignmentAuthorizationFailed": (Reason.DENY_ASSIGNMENT, _explain_deny),
    "RequestDisallowedByPolicy": (Reason.DISALLOWED_BY_POLICY, _explain_policy),
    "ScopeLocked": (Reason.LOCKED, _explain_lock),
}
DENIALS = tuple(code for code in _READERS if code)
"""The codes of Azure's answers that mean a missing right, a policy or a lock."""
