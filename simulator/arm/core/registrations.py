"""Which resource providers a subscription is registered for, and how that changes.

This room decides states and how long registering takes: a minute, which is ours, because nobody documents it. Every
provider is registered unless somebody says otherwise. It refuses to know requests.
https://learn.microsoft.com/azure/azure-resource-manager/management/resource-providers-and-types
"""

from __future__ import annotations

from collections.abc import Iterable

from simulator.clock import Clock

# https://learn.microsoft.com/azure/azure-resource-manager/management/azure-services-resource-providers#registration
ALWAYS = frozenset(f"microsoft.{each}" for each in ("authorization", "management", "resourcegraph", "resources"))
_TAKES_S = 60.0
REGISTERED, REGISTERING, NOT_REGISTERED, UNREGISTERED = "Registered", "Registering", "NotRegistered", "Unregistered"


class Registrations:
    """The registrations of one pretend Azure."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        # (subscription, namespace), lower case -> the state, or since when it is being registered.
        self._other: dict[tuple[str, str], str | float] = {}

    def state(self, subscription: str, namespace: str) -> str:
        """The registration state as ARM spells it."""
        key = (subscription.lower(), namespace.lower())
        found = self._other.get(key, REGISTERED)
        if isinstance(found, str):
            return found
        return REGISTERED if self._clock.time() >= found + _TAKES_S else REGISTERING

    def register(self, subscription: str, namespace: str) -> None:
        """Begin to register; what is registered, or on its way, stays as it is."""
        if self.state(subscription, namespace) in (NOT_REGISTERED, UNREGISTERED):
            self._other[subscription.lower(), namespace.lower()] = self._clock.time()

    def unregister(self, subscription: str, namespace: str) -> None:
        """Take the registration away, at once."""
        if namespace.lower() not in ALWAYS:
            self._other[subscription.lower(), namespace.lower()] = UNREGISTERED

    def replace(self, subscription: str, missing: Iterable[object]) -> None:
        """Make `missing` all that the subscription was never registered for. ValueError for what is no namespace."""
        names = list(missing) if isinstance(missing, list | tuple) else [None]
        if not all(isinstance(name, str) and name and name.lower() not in ALWAYS for name in names):
            raise ValueError("'_notRegistered' is a list of namespaces such as Microsoft.ResourceHealth")
        kept = {key: state for key, state in self._other.items() if key[0] != subscription.lower()}
        self._other = kept | {(subscription.lower(), str(name).lower()): NOT_REGISTERED for name in names}

    def clear(self) -> None:
        """Everything is registered."""
        self._other.clear()
