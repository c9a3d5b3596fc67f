"""Azure's refusals that blame neither the disk nor the VM: a right is missing, a policy or a lock forbids it.

Decides which of Azure's codes say so, what its sentence names (action, scope, policy assignment), and the cure. What a
sentence does not name is not guessed: then Azure's own words stand. Refuses to know what was asked.
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
# In the sentence itself, or told by `arm.errors` from the details beside it:
# https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/error-policy-requestdisallowedbypolicy
_POLICY = re.compile(r'"policyAssignment":\s*{\s*"name":\s*"(?P<name>[^"]+)",\s*"id":\s*"(?P<id>[^"]+)"')
_POLICY_TOLD = re.compile(r"policy assignment '(?P<name>[^']+)' \((?P<id>[^)]+)\)")
# https://github.com/Azure/apiops/issues/606
_LOCKED = re.compile(r"following scope\(s\) are locked: '(?P<scope>[^']+)'")


@dataclass(frozen=True)
class Denial:
    """Why Azure will not do it for the app, and one sentence with the cure."""

    reason: Reason
    message: str


def is_denied(code: str | None) -> bool:
    """Whether Azure's `code` says that the app may not do what it asked for."""
    return code in _READERS


def read_denial(code: str, message: str) -> Denial | None:
    """What Azure's `code` and `message` say about a right, a policy or a lock; None where they are about none."""
    known = _READERS.get(code)
    if known is None:
        return None
    reason, tell = known
    return Denial(reason, tell(message))


def tell_refusal(code: str, message: str) -> str:
    """Azure's `code` and the sentence with the cure; what is missing comes first, because the end may be cut off."""
    denial = read_denial(code, message)
    return f"{code}: {denial.message if denial is not None else message}"


def reason_of(code: str | None, otherwise: Reason) -> Reason:
    """The reason that `code` is, `otherwise` where it is about no right, policy or lock."""
    return _READERS[code][0] if code in _READERS else otherwise


def told_policy(name: str, assignment_id: str) -> str:
    """A policy assignment in the words that `read_denial` reads again."""
    return f"policy assignment '{name}' ({assignment_id})"


def _tell_rights(message: str) -> str:
    found = _RIGHTS.search(message)
    if found is None:
        return f"{message[:300]}; have the app's role assigned there"
    return f"the app's identity lacks {found['action']} on {found['scope']}: have its role assigned there"


def _tell_linked(message: str) -> str:
    asked, linked = _RIGHTS.search(message), _LINKED.search(message)
    if asked is None or linked is None:
        return f"{message[:300]}; have the app's role assigned on what the request names, too"
    return (
        f"the app's identity lacks {linked['action']} on {linked['scope']}, which {asked['action']} on "
        f"{asked['scope']} needs: have its role assigned there, too"
    )


def _tell_deny(message: str) -> str:
    found, named = _RIGHTS.search(message), _DENY.search(message)
    if found is None or named is None:
        return f"{message[:300]}; have the deny assignment exclude the app's identity"
    return (
        f"deny assignment '{named['name']}' forbids {found['action']} on {found['scope']}: have it exclude the app's "
        "identity"
    )


def _tell_policy(message: str) -> str:
    found = _POLICY_TOLD.search(message) or _POLICY.search(message.replace('\\"', '"'))
    if found is None:
        return f"{message[:300]} Have the policy exempt this VM, or ask for a disk that it allows"
    return (
        f"{told_policy(found['name'], found['id'])} forbids it: have the VM exempted, or ask for a disk that the "
        "policy allows"
    )


def _tell_lock(message: str) -> str:
    found = _LOCKED.search(message)
    if found is None:
        return f"{message[:300]}; have the lock removed for the time of the swap"
    return f"a lock on {found['scope']} forbids it: have it removed for the time of the swap"


_READERS: Mapping[str | None, tuple[Reason, Callable[[str], str]]] = {
    "AuthorizationFailed": (Reason.RIGHTS_MISSING, _tell_rights),
    "LinkedAuthorizationFailed": (Reason.LINKED_RIGHTS_MISSING, _tell_linked),
    "DenyAssignmentAuthorizationFailed": (Reason.DENY_ASSIGNMENT, _tell_deny),
    "RequestDisallowedByPolicy": (Reason.DISALLOWED_BY_POLICY, _tell_policy),
    "ScopeLocked": (Reason.LOCKED, _tell_lock),
}
