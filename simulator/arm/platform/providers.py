"""Resource providers: the types of a namespace, and the registration of a subscription for it.

Decides what a provider's answer contains, and that requests to a provider are refused when the subscription is not
registered for it. Rejects no api-version.
https://learn.microsoft.com/rest/api/resources/providers
"""

from __future__ import annotations

from collections.abc import Iterable

from simulator.arm.core import errors
from simulator.arm.core.messages import Answer, Request
from simulator.arm.core.registrations import REGISTERED, Registrations
from simulator.arm.core.store import Json

# The newest api-versions in the recordings of the types here.
_API_VERSIONS = ["2024-07-01", "2023-07-03", "2022-03-03"]
# Namespaces of a subscription besides those of the modelled types; the list is not complete.
_OTHERS = (
    "Microsoft.App",
    "Microsoft.EventGrid",
    "Microsoft.Insights",
    "Microsoft.ManagedIdentity",
    "Microsoft.Network",
    "Microsoft.OperationalInsights",
    "Microsoft.ResourceHealth",
    "Microsoft.Storage",
    "Microsoft.Web",
)
_CHANGES = ("register", "unregister")


class Providers:
    """The providers of one simulated Azure; `known` are the full names of the modelled types in Azure's casing."""

    def __init__(self, registrations: Registrations, known: Iterable[str]) -> None:
        self._registrations = registrations
        self._known = tuple(known)

    def handles(self, request: Request) -> bool:
        """Whether a request is for a provider of a subscription or the list of providers, not for a resource."""
        path = request.path
        if path.id.subscription is None or path.id.group is not None or path.id.pairs:
            return False
        if path.namespace is None:
            return request.method == "GET" and (path.tail or "").lower() == "providers"
        if path.tail is None:
            return request.method == "GET"
        return request.method == "POST" and path.tail.lower() in _CHANGES

    def answer(self, request: Request) -> Answer:
        """Begin the requested change, if any; return the provider, or the list of all."""
        subscription, namespace = str(request.path.id.subscription), request.path.namespace
        if namespace is None:
            heads = sorted({*_OTHERS, *(name.partition("/")[0] for name in self._known)})
            return Answer(200, {"value": [self._body(request, subscription, each) for each in heads]}, counted=False)
        if (request.path.tail or "").lower() == "register":
            self._registrations.register(subscription, namespace)
        elif request.path.tail is not None:
            self._registrations.unregister(subscription, namespace)
        return Answer(200, self._body(request, subscription, namespace))

    def require(self, request: Request) -> None:
        """Refuse a request to a provider that its subscription is not registered for."""
        subscription, namespace = request.path.id.subscription, request.path.namespace or request.path.id.namespace
        if subscription is None or namespace is None:
            return
        if self._registrations.state(subscription, namespace) != REGISTERED:
            raise errors.missing_registration(namespace)

    def _body(self, request: Request, subscription: str, namespace: str) -> Json:
        types = [name.split("/", 1) for name in self._known]
        own = [(head, rest) for head, rest in types if head.lower() == namespace.lower()]
        spelled = next((each for each in _OTHERS if each.lower() == namespace.lower()), namespace)
        return {
            "id": f"{request.path.id.text}/providers/{namespace}",
            "namespace": own[0][0] if own else spelled,
            "registrationState": self._registrations.state(subscription, namespace),
            "registrationPolicy": "RegistrationRequired",
            "resourceTypes": [
                {"resourceType": rest, "locations": [], "apiVersions": list(_API_VERSIONS), "capabilities": "None"}
                for _, rest in own
            ],
        }
