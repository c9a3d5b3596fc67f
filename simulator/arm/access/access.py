"""ARM's checks before any provider: the caller's rights, and locks.

Decides the order: rights, linked rights, locks. The router does not call it for the status of an operation, which any
caller can read. Does not know providers.
"""

from __future__ import annotations

from simulator.arm.access.linked_access import linked_to
from simulator.arm.access.locks import Locks
from simulator.arm.access.roles import Roles
from simulator.arm.core import errors
from simulator.arm.core.actions import action_of
from simulator.arm.core.messages import Answer, Request
from simulator.arm.core.services import Services
from simulator.arm.platform.tags import is_tags

_PERMISSIONS = "microsoft.authorization/permissions"
_LOCKS = "microsoft.authorization/locks"


class Access:
    """The access checks in front of every provider."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self.roles = Roles(services)
        self.locks = Locks(services)

    def check(self, request: Request, *, is_view: bool) -> None:
        """Refuse a request without rights (403 AuthorizationFailed or LinkedAuthorizationFailed) or on a locked scope
        (409 ScopeLocked)."""
        subscription = request.id.subscription
        if subscription is None or subscription.lower() not in self._services.store.subscriptions:
            return
        if self.roles.in_force:
            self._check_rights(request, is_view=is_view)
        self.locks.check(request)

    def listing(self, request: Request) -> Answer | None:
        """The lists that ARM itself answers at any scope: permissions and locks. None for every other list."""
        kind = request.path.collection_type.lower()
        if kind == _PERMISSIONS:
            return Answer(200, {"value": self.roles.permissions(request.principal, request.id.text)}, counted=False)
        if kind == _LOCKS:
            only = request.query.get("$filter", "").replace(" ", "").lower() == "atscope()"
            return Answer(200, {"value": self.locks.at(request.id.text, only_at_or_above=only)}, counted=False)
        return None

    def _check_rights(self, request: Request, *, is_view: bool) -> None:
        action, scope, caller = action_of(request, is_view=is_view), request.id.text, request.principal
        if not self.roles.allows(caller, action, scope):
            raise errors.authorization_failed(caller, action, scope)
        if is_tags(request.id):
            return
        missing = [
            (needed, linked)
            for needed, linked in linked_to(request, self._services.store)
            if not self.roles.allows(caller, needed, linked)
        ]
        if missing:
            raise errors.linked_authorization_failed(caller, action, scope, missing)
