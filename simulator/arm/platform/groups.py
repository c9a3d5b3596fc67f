"""Subscriptions, resource groups, locations and management groups: the scopes of resources.

Decides what ARM itself answers for them. Does not know resource types.
https://learn.microsoft.com/rest/api/resources/resource-groups
"""

from __future__ import annotations

from collections.abc import Iterable

from simulator.arm.core import errors, locations
from simulator.arm.core.bodies import merged, without
from simulator.arm.core.ids import ResourceId, parse_id
from simulator.arm.core.messages import Answer, Request
from simulator.arm.core.operations import Work, accepted
from simulator.arm.core.services import DEFAULT_LOCATION, TENANT_ID, Services
from simulator.arm.core.store import Json, Record
from simulator.arm.core.tag_rules import check_tags
from simulator.arm.platform.removal import remove_records

GROUP_TYPE = "Microsoft.Resources/resourceGroups"
MANAGEMENT_GROUP_TYPE = "Microsoft.Management/managementGroups"
_READ_ONLY = ("id", "name", "type", "properties")


class Groups:
    """The handlers of scopes."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def require_scope(self, resource_id: ResourceId) -> None:
        """Refuse an id whose subscription or resource group does not exist."""
        if resource_id.subscription is None:
            return
        if resource_id.subscription.lower() not in self._services.store.subscriptions:
            raise errors.subscription_not_found(resource_id.subscription)
        if resource_id.group is not None and self._services.store.get(resource_id.group_id) is None:
            raise errors.group_not_found(resource_id.group)

    def refuse_if_deleting(self, resource_id: ResourceId) -> None:
        """Refuse a change in a resource group that is being deleted."""
        record = self._services.store.get(resource_id.group_id) if resource_id.group is not None else None
        if record is not None and resource_id.pairs and record.properties.get("provisioningState") == "Deleting":
            raise errors.group_being_deleted(record.id.name)

    def make_group(self, resource_id: ResourceId, location: str | None = None) -> None:
        """Add the resource group and subscription of an id, where missing."""
        if resource_id.subscription is None:
            return
        self._services.add_subscription(resource_id.subscription)
        group_id = parse_id(resource_id.group_id)
        if resource_id.group is not None and self._services.store.get(group_id) is None:
            self._services.store.put(_record(group_id, {"location": location or DEFAULT_LOCATION}))

    def handle_group(self, request: Request) -> Answer:
        """Answer a request for one resource group."""
        subscription = str(request.id.subscription)
        if subscription.lower() not in self._services.store.subscriptions:
            raise errors.subscription_not_found(subscription)
        record = self._services.store.get(request.id)
        if request.method == "PUT":
            return self._put_group(request, record)
        if record is None:
            raise errors.group_not_found(str(request.id.group))
        if request.method == "HEAD":
            return Answer(204)
        if request.method == "GET":
            return Answer(200, record.body)
        if request.method == "PATCH":
            check_tags(request.body.get("tags"))
            record.body |= merged(record.body, without(request.body, _READ_ONLY))
            return Answer(200, record.body)
        if request.method == "DELETE":
            return self._delete_group(request, record)
        raise errors.method_not_allowed(request.method, request.id.text)

    def handle_subscription(self, request: Request) -> Answer:
        """Answer a request for one subscription, or for its locations or resource groups."""
        subscription = str(request.id.subscription)
        body = self._services.store.subscriptions.get(subscription.lower())
        if body is None:
            raise errors.subscription_not_found(subscription)
        tail = (request.path.tail or "").lower()
        if not tail:
            return Answer(200, body)
        if tail == "locations":
            return Answer(200, {"value": locations.listing(subscription)})
        if tail == "resourcegroups":
            groups = [each.body for each in self._services.store.of_type(GROUP_TYPE) if _is_in(each, subscription)]
            return Answer(200, {"value": groups})
        raise errors.resource_not_found(str(request.path.tail), None)

    def list_subscriptions(self) -> list[Json]:
        """Every subscription of the tenant."""
        return list(self._services.store.subscriptions.values())

    def subscriptions_of(self, management_group: str) -> Iterable[str]:
        """The ids of the subscriptions in a management group; the tenant's root group contains all."""
        if management_group.lower() == TENANT_ID:
            return [str(each["subscriptionId"]) for each in self._services.store.subscriptions.values()]
        prefix = f"/providers/{MANAGEMENT_GROUP_TYPE}/{management_group}/subscriptions/".lower()
        kind = f"{MANAGEMENT_GROUP_TYPE}/subscriptions"
        return [each.id.name for each in self._services.store.of_type(kind) if each.id.key.startswith(prefix)]

    def fill_group(self, record: Record) -> None:
        """Complete a group of a scenario."""
        record.body.setdefault("location", DEFAULT_LOCATION)
        record.body |= _record(record.id, record.body).body

    def _put_group(self, request: Request, record: Record | None) -> Answer:
        check_tags(request.body.get("tags"))
        location = request.body.get("location")
        if not location:
            raise errors.location_required()
        if record is None:
            record = self._services.store.put(_record(request.id, without(request.body, _READ_ONLY)))
            return Answer(201, record.body)
        if record.properties.get("provisioningState") == "Deleting":
            raise errors.group_being_deleted(record.id.name)
        if location.replace(" ", "").lower() != record.location:
            raise errors.location_invalid(request.id.name, record.location, location)
        record.body |= without(request.body, _READ_ONLY)
        return Answer(200, record.body)

    def _delete_group(self, request: Request, record: Record) -> Answer:
        if record.properties.get("provisioningState") == "Deleting":
            # Not recorded: a second request is accepted and the first deletion continues.
            return Answer(202)
        record.properties["provisioningState"] = "Deleting"

        def gone() -> None:
            remove_records(self._services, [*self._services.store.below(record.id), record])

        def failed(_error: Json | None) -> None:
            record.properties["provisioningState"] = "Succeeded"

        action = "Microsoft.Resources/subscriptions/resourceGroups/delete"
        work = Work("groupDelete", "delete", gone, failed, action, "delete")
        return accepted(request, self._services.operations.begin(request, record.id, record.location, work), 202)


def _record(group_id: ResourceId, body: Json) -> Record:
    identity = {"id": group_id.text, "name": group_id.name, "type": GROUP_TYPE}
    return Record(group_id, {**body, **identity, "properties": {"provisioningState": "Succeeded"}})


def _is_in(record: Record, subscription: str) -> bool:
    return (record.id.subscription or "").lower() == subscription.lower()
