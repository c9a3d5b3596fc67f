"""Writing resources into the store without a request, an operation or an event, for scenarios and the control plane.

Decides the order of bodies and the defaults that every type shares. Leaves the defaults of a type to its provider's
`fill`.
"""

from __future__ import annotations

from collections.abc import Iterable

from simulator.arm.core.bodies import merged, public
from simulator.arm.core.errors import ArmError
from simulator.arm.core.ids import ResourceId, parse_id
from simulator.arm.core.services import DEFAULT_LOCATION, Services
from simulator.arm.core.store import Json, Record
from simulator.arm.core.tag_rules import check_tags
from simulator.arm.front.router import Router
from simulator.arm.platform.groups import GROUP_TYPE
from simulator.arm.platform.removal import remove_records
from simulator.arm.state.contents import REBOOTS_AFTER
from simulator.arm.state.disk_bodies import identify
from simulator.arm.vms.vms import VM_TYPE

# Every scenario key of any type; each provider reads its own.
_OF_VMS = {
    *("_power", "_agent", "_generalized", "_health_extension", "_slow_extension_s", "_listens", "_availability"),
    *("_local_data", "_extension_work_s", REBOOTS_AFTER),
}
_OF_DISKS_AND_VERSIONS = {"_hostname", "_healthy", REBOOTS_AFTER}
_OF_ROLES = {"_actions", "_notActions"}
_OF_SUBSCRIPTIONS = {"_notRegistered", "_features"}
SCENARIO_KEYS = _OF_VMS | _OF_DISKS_AND_VERSIONS | _OF_ROLES | _OF_SUBSCRIPTIONS


class BodyError(ValueError):
    """An invalid body; the text names it."""


def put_resources(services: Services, router: Router, bodies: Iterable[Json]) -> int:
    """Write `bodies` (only `id` is required) into the store and return how many; BodyError names an invalid one.

    A body is merged into a resource that exists. Missing groups and subscriptions are added. The order of `bodies` does
    not matter.
    """
    pairs = [(_id(body), body) for body in bodies]
    # Parents before children, and VMs last, because they use or make their disks.
    pairs.sort(key=lambda pair: (pair[0].type.lower() == VM_TYPE.lower(), pair[0].text.count("/")))
    for resource_id, body in pairs:
        _put(services, router, resource_id, body)
    return len(pairs)


def remove_resources(services: Services, ids: Iterable[str]) -> int:
    """Remove resources and what is nested in them from the store; returns how many of `ids` existed."""
    removed = 0
    for text in ids:
        record = services.store.get(str(text))
        if record is None:
            continue
        removed += 1
        remove_records(services, [*services.store.below(record.id), record])
    return removed


def _put(services: Services, router: Router, resource_id: ResourceId, body: Json) -> None:
    if not resource_id.pairs and resource_id.group is None:
        services.add_subscription(str(resource_id.subscription))
        services.store.subscriptions[str(resource_id.subscription).lower()] |= public(body)
        _register(services, resource_id, body)
        return
    router.groups.make_group(resource_id, body.get("location"))
    if not resource_id.pairs:
        _put_group(services, router, resource_id, body)
        return
    provider = router.type_of(resource_id.type)
    resource_id = resource_id.with_type(provider.name)
    record = services.store.get(resource_id)
    is_new = record is None
    if record is None:
        record = services.store.put(Record(resource_id, merged({}, body)))
    else:
        properties = merged(record.properties, body.get("properties") or {})
        record.body = {**record.body, **body, "properties": properties}
    group = services.store.get(resource_id.group_id)
    parent = services.store.get(resource_id.parent) if resource_id.parent else None
    inherited = (parent or group or record).body.get("location") or DEFAULT_LOCATION
    if resource_id.subscription is not None:
        record.body.setdefault("location", inherited)
    identify(record)
    try:
        provider.fill(record)
    except (ValueError, TypeError, AttributeError, LookupError) as error:
        if is_new:
            services.store.delete(record, services.clock.time())  # no incomplete resource stays
        if isinstance(error, ValueError):
            raise BodyError(f"{resource_id.text}: {error}") from error
        # For example a list where an object belongs; the error's own text has the details.
        raise BodyError(f"{resource_id.text}: its body has a value of the wrong type: {error!r}") from error


def _register(services: Services, resource_id: ResourceId, body: Json) -> None:
    subscription = str(resource_id.subscription)
    try:
        if "_notRegistered" in body:
            services.registrations.replace(subscription, body["_notRegistered"])
        if "_features" in body:
            services.registrations.replace_features(subscription, body["_features"])
    except ValueError as error:
        raise BodyError(f"{resource_id.text}: {error}") from error


def _put_group(services: Services, router: Router, resource_id: ResourceId, body: Json) -> None:
    record = services.store.get(resource_id)
    assert record is not None
    record.body = {**record.body, **public(body), "type": GROUP_TYPE}
    router.groups.fill_group(record)


def _id(body: object) -> ResourceId:
    if not isinstance(body, dict) or not isinstance(body.get("id"), str):
        raise BodyError(f"a resource is an object with an 'id', not {body!r:.120}")
    for key in body:
        if key.startswith("_") and key not in SCENARIO_KEYS:
            raise BodyError(f"unknown key {key!r} in {body['id']}")
    try:
        check_tags(body.get("tags"))
        return parse_id(body["id"])
    except (ArmError, ValueError) as error:
        raise BodyError(f"{body['id']}: {error}") from error
