"""Registrations of a subscription for resource providers and previews.

Decides the states and how long registering takes: a minute, an assumption because Azure does not document it. Every
provider is registered unless the scenario or a request changes that; a preview only by the scenario. Does not know
requests.
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
    """The registrations of one simulated Azure."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        # (subscription, namespace), lower case -> the state, or the time when registering began.
        self._other: dict[tuple[str, str], str | float] = {}
        self._features: dict[str, frozenset[str]] = {}

    def state(self, subscription: str, namespace: str) -> str:
        """The registration state as ARM spells it."""
        key = (subscription.lower(), namespace.lower())
        found = self._other.get(key, REGISTERED)
        if isinstance(found, str):
            return found
        return REGISTERED if self._clock.time() >= found + _TAKES_S else REGISTERING

    def register(self, subscription: str, namespace: str) -> None:
        """Begin to register; no effect when registered or registering."""
        if self.state(subscription, namespace) in (NOT_REGISTERED, UNREGISTERED):
            self._other[subscription.lower(), namespace.lower()] = self._clock.time()

    def unregister(self, subscription: str, namespace: str) -> None:
        """Remove the registration, at once; the providers in `ALWAYS` stay registered."""
        if namespace.lower() not in ALWAYS:
            self._other[subscription.lower(), namespace.lower()] = UNREGISTERED

    def replace(self, subscription: str, missing: Iterable[object]) -> None:
        """Make `missing` the namespaces the subscription is not registered for; ValueError for a bad namespace."""
        names = list(missing) if isinstance(missing, list | tuple) else [None]
        if not all(isinstance(name, str) and name and name.lower() not in ALWAYS for name in names):
            raise ValueError("'_notRegistered' is a list of namespaces such as Microsoft.ResourceHealth")
        kept = {key: state for key, state in self._other.items() if key[0] != subscription.lower()}
        self._other = kept | {(subscription.lower(), str(name).lower()): NOT_REGISTERED for name in names}

    def has_feature(self, subscription: str, feature: str) -> bool:
        """Whether a subscription takes part in a preview, such as `Microsoft.Compute/SIGSharing`."""
        return feature.lower() in self._features.get(subscription.lower(), frozenset())

    def replace_features(self, subscription: str, features: object) -> None:
        """Make `features` the previews of a subscription; ValueError for anything but a list of texts."""
        if not isinstance(features, list) or not all(isinstance(name, str) and "/" in name for name in features):
            raise ValueError("'_features' is a list of previews such as Microsoft.Compute/SIGSharing")
        self._features[subscription.lower()] = frozenset(name.lower() for name in features)

    def clear(self) -> None:
        """Make every provider registered, and no preview."""
        self._other.clear()
        self._features.clear()
