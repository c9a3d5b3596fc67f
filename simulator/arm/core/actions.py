"""The access control action of a request.

Decides the name of the action behind a method and a path, such as
`Microsoft.Compute/virtualMachines/start/action`. Leaves who may do it to `access/roles.py`.
https://learn.microsoft.com/azure/role-based-access-control/resource-provider-operations
"""

from __future__ import annotations

from simulator.arm.core.messages import Request

_VERBS = {"GET": "read", "HEAD": "read", "PUT": "write", "PATCH": "write", "DELETE": "delete"}
_SUBSCRIPTION = "Microsoft.Resources/subscriptions"
_GROUP = "Microsoft.Resources/subscriptions/resourceGroups"
_PROVIDERS = "Microsoft.Resources/subscriptions/providers/read"


def action_of(request: Request, *, is_view: bool) -> str:
    """The action that `request` needs; `is_view`: the path's last segment is a view of one resource."""
    path = request.path
    tail = path.tail
    # The path of a scope itself has no provider; a collection or an action directly below it may have one.
    kind = path.id.type if path.id.pairs else _GROUP if path.id.group else _SUBSCRIPTION
    if path.namespace is not None and not path.id.pairs and path.id.group is None and path.id.subscription is not None:
        if tail is None:
            return _PROVIDERS
        if request.method == "POST" and tail.lower() in ("register", "unregister"):
            return f"{path.namespace}/{tail}/action"
    if tail is None:
        return f"{kind}/{_VERBS.get(request.method, 'action')}"
    if request.method == "POST":
        return f"{kind}/{tail}/action"
    if is_view:
        return f"{kind}/{tail}/read"
    if path.namespace is None:
        return f"{_GROUP}/read" if tail.lower() == "resourcegroups" else f"{kind}/{tail}/read"
    return f"{path.collection_type}/{_VERBS.get(request.method, 'read')}"
