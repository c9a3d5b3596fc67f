"""Resource providers: which types a namespace has, and with which api-versions they are asked for.

This room decides what generic clients (`az resource …`) learn before they ask for a resource. It refuses to reject an
api-version: any is taken. https://learn.microsoft.com/rest/api/resources/providers/get
"""

from __future__ import annotations

from collections.abc import Iterable

from simulator.arm.messages import Answer, Request

# The newest of the recordings that every type here was asked for with.
_API_VERSIONS = ["2024-07-01", "2023-07-03", "2022-03-03"]


def is_asked(request: Request) -> bool:
    """Whether a request is for a provider of a subscription, and for none of its resources."""
    path = request.path
    alone = path.namespace is not None and path.tail is None and not path.id.pairs and path.id.group is None
    return request.method == "GET" and alone and path.id.subscription is not None


def answer(request: Request, known: Iterable[str]) -> Answer:
    """The provider with those of the `known` types (full, in Azure's casing) that are its own."""
    namespace = str(request.path.namespace)
    types = [name.split("/", 1) for name in known]
    own = [(head, rest) for head, rest in types if head.lower() == namespace.lower()]
    return Answer(
        200,
        {
            "id": f"{request.path.id.text}/providers/{namespace}",
            "namespace": own[0][0] if own else namespace,
            "registrationState": "Registered",
            "registrationPolicy": "RegistrationRequired",
            "resourceTypes": [
                {"resourceType": rest, "locations": [], "apiVersions": list(_API_VERSIONS), "capabilities": "None"}
                for _, rest in own
            ],
        },
    )
