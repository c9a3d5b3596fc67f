"""ARM's front end: the provider of a path, and refusals before any provider.

Decides routing, lists and their pages, and the front end's own "not found". Does not know HTTP servers and the rules of
resource types.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from simulator.arm.access.access import Access
from simulator.arm.core import errors
from simulator.arm.core.messages import Answer, Request
from simulator.arm.core.operation_headers import COMPUTE, DISK, GALLERY
from simulator.arm.core.operations import status_answer
from simulator.arm.core.resource_types import ResourceType
from simulator.arm.core.services import Services
from simulator.arm.core.store import Json, Record
from simulator.arm.disks.disks import Disks
from simulator.arm.disks.snapshots import Snapshots
from simulator.arm.images.galleries import Galleries
from simulator.arm.images.managed_images import ManagedImages
from simulator.arm.images.versions import Versions
from simulator.arm.platform.generic import Generic
from simulator.arm.platform.groups import GROUP_TYPE, MANAGEMENT_GROUP_TYPE, Groups
from simulator.arm.platform.network_interfaces import NetworkInterfaces
from simulator.arm.platform.providers import Providers
from simulator.arm.platform.resource_health import STATUS_TYPE, ResourceHealth
from simulator.arm.platform.tags import Tags, is_tags
from simulator.arm.state import marketplace
from simulator.arm.vms import skus
from simulator.arm.vms.vm_extensions import VmExtensions
from simulator.arm.vms.vms import Vms

_OPERATION_TYPES = {f"microsoft.compute/locations/{family}".lower() for family in (COMPUTE, DISK, GALLERY)}
_GRAPH = "microsoft.resourcegraph/resources"
_TYPE_FILTER = re.compile(r"\s*resourceType\s+eq\s+'([^']+)'\s*", re.IGNORECASE)

# The answer of Resource Graph (status, headers, JSON) to a query body and a principal.
GraphAnswer = Callable[[Mapping[str, Any], str], tuple[int, dict[str, str], dict[str, Any]]]


class Router:
    """The front end of one simulated ARM. `graph` answers Resource Graph queries."""

    def __init__(self, services: Services, graph: GraphAnswer) -> None:
        self._services, self._graph = services, graph
        self.groups = Groups(services)
        self._tags = Tags(services)
        self._generic = Generic(services)
        self.access = Access(services)
        self._health = ResourceHealth(services)
        galleries = Galleries(services)
        types = (
            Vms(services).resource_type(),
            VmExtensions(services).resource_type(),
            Disks(services).resource_type(),
            galleries.gallery_type(),
            galleries.definition_type(),
            Versions(services).resource_type(),
            ManagedImages(services).resource_type(),
            Snapshots(services).resource_type(),
            NetworkInterfaces(services).resource_type(),
            self.access.locks.resource_type(),
            self.access.roles.resource_type(),
        )
        self._types = {each.name.lower(): each for each in types}
        self._providers = Providers(services.registrations, [each.name for each in types])

    def type_of(self, name: str) -> ResourceType:
        """The provider of a type; the generic one for a type without its own."""
        return self._types.get(name.lower()) or self._generic.resource_type(name)

    def counted_as(self, request: Request) -> tuple[str, str]:
        """The type and the kind of access ("", "list" or an action) that select the rate-limit counters."""
        path = request.path
        if path.tail is None:
            kind = path.id.type.lower()
            return (kind.rsplit("/", 1)[-1] if kind in _OPERATION_TYPES else kind), ""
        if request.method == "POST":
            return path.id.type, path.tail
        return (path.id.type, "") if self._is_view(request) else (path.collection_type, "list")

    def handle(self, request: Request) -> Answer:
        """Answer one request; raises ArmError for a refusal."""
        path = request.path
        if not request.api_version:
            raise errors.missing_api_version()
        if path.id.type.lower() in _OPERATION_TYPES:
            self.groups.require_scope(path.id)
            return self._operation(request)
        self.access.check(request, is_view=self._is_view(request))
        if path.tail is not None and not path.id.text:
            return self._tenant(request)
        if self._providers.handles(request):
            self.groups.require_scope(path.id)
            return self._providers.answer(request)
        self._providers.require(request)
        if path.id.subscription and not path.id.pairs and path.namespace is None and path.id.group is None:
            return self.groups.handle_subscription(request) if not self._lists_all(request) else self._all(request)
        if path.id.group and not path.id.pairs and path.namespace is None:
            return self._all(request) if self._lists_all(request) else self._group(request)
        if is_tags(path.id):
            self.groups.require_scope(replace(path.id, pairs=()))
            return self._tags.handle(request)
        self.groups.require_scope(path.id)
        if path.id.type.lower() == STATUS_TYPE:
            return self._health.current(request)
        if marketplace.handles(request):
            return marketplace.answer(request)
        if request.method != "GET":
            self.groups.refuse_if_deleting(path.id)
        return self._below(request) if path.tail is not None else self._resource(request)

    def _tenant(self, request: Request) -> Answer:
        path = request.path
        kind = path.collection_type.lower() if path.namespace else str(path.tail).lower()
        if kind == "subscriptions" and request.method == "GET":
            subscriptions = self.groups.list_subscriptions()
            seen = [each for each in subscriptions if self.access.roles.sees(request.principal, each["id"])]
            return Answer(200, {"value": seen})
        if kind == _GRAPH and request.method == "POST":
            status, headers, body = self._graph(request.body, request.principal)
            return Answer(status, body, dict(headers))
        if kind == MANAGEMENT_GROUP_TYPE.lower() and request.method == "GET":
            return Answer(200, {"value": [each.body for each in self._services.store.of_type(MANAGEMENT_GROUP_TYPE)]})
        raise errors.resource_not_found(path.collection_type if path.namespace else str(path.tail), None)

    def _group(self, request: Request) -> Answer:
        if request.path.tail is not None:
            raise errors.resource_not_found(str(request.path.tail), request.id.group)
        return self.groups.handle_group(request)

    def _resource(self, request: Request) -> Answer:
        provider = self._types.get(request.id.type.lower())
        if provider is not None:
            request = replace(request, path=replace(request.path, id=request.id.with_type(provider.name)))
        provider = provider or self.type_of(request.id.type)
        if request.method in ("GET", "HEAD"):
            return self._get(request, provider)
        handlers = {"PUT": provider.put, "PATCH": provider.patch, "DELETE": provider.delete}
        if request.method not in handlers:
            raise errors.method_not_allowed(request.method, request.id.text)
        parent = request.id.parent
        if request.method == "PUT" and parent and provider.name.lower() in self._types:
            self._services.require(parent, errors.parent_not_found(parent.path_name))
        existing = self._services.store.get(request.id)
        if existing is not None:
            # The id keeps the casing of its first write.
            request = replace(request, path=replace(request.path, id=existing.id))
        return handlers[request.method](request)

    def _get(self, request: Request, provider: ResourceType) -> Answer:
        record = self._services.store.get(request.id)
        if record is None:
            if self._services.store.was_just_deleted(request.id, self._services.clock.time()):
                raise errors.entity_not_found()
            raise errors.resource_not_found(self._first_missing(request), request.id.group)
        answer = Answer(200, provider.render(record, request))
        etag = provider.etag(record)
        if etag is not None and "etag" in answer.body and "$expand" not in request.query:
            answer.headers["etag"] = etag
        return answer

    def _first_missing(self, request: Request) -> str:
        """The outermost resource on the path that does not exist; ARM names this one."""
        missing, parent = request.id, request.id.parent
        while parent is not None:
            missing = parent if self._services.store.get(parent) is None else missing
            parent = parent.parent
        return missing.path_name

    def _below(self, request: Request) -> Answer:
        """A collection, a view or an action."""
        tail = str(request.path.tail)
        if request.method == "POST":
            actions = {name.lower(): action for name, action in self.type_of(request.id.type).actions.items()}
            if tail.lower() not in actions:
                text = f"The action '{tail}' on '{request.id.type}' is not known to this simulator."
                raise errors.ArmError(400, "InvalidResourceOperation", text)
            return actions[tail.lower()](request)
        if request.method not in ("GET", "HEAD"):
            raise errors.method_not_allowed(request.method, f"{request.id.text}/{tail}")
        views = self._views(request)
        return views[tail.lower()](request) if tail.lower() in views else self._list(request)

    def _views(self, request: Request) -> Mapping[str, Callable[[Request], Answer]]:
        return {name.lower(): view for name, view in self.type_of(request.id.type).views.items()}

    def _is_view(self, request: Request) -> bool:
        """Whether the last segment of the path is a view of one resource and not a collection."""
        tail = (request.path.tail or "").lower()
        return bool(tail and request.id.pairs) and request.method in ("GET", "HEAD") and tail in self._views(request)

    def _list(self, request: Request) -> Answer:
        path = request.path
        if (answer := self.access.listing(request)) is not None:
            return answer
        if path.collection_type.lower() == STATUS_TYPE:
            return self._health.listing(request)
        if path.collection_type.lower() == skus.COLLECTION and path.id.group is None:
            return skus.listing(request)
        if path.id.pairs and self._services.store.get(path.id) is None:
            raise errors.parent_not_found(path.id.path_name)
        provider = self.type_of(path.collection_type)
        prefix = f"{path.id.key}/"
        records = (
            each
            for each in self._services.store.page(path.collection_type, after=_page_start(request))
            if each.id.key.startswith(prefix)
        )
        return self._page(request, records, provider.page_size, lambda record: provider.render(record, request))

    def _page(self, request: Request, records: Iterable[Record], size: int, render: Callable[[Record], Json]) -> Answer:
        value: list[Json] = []
        last = ""
        for record in records:
            if len(value) == size:
                token = base64.urlsafe_b64encode(last.encode()).decode()
                link = f"{request.url.partition('?')[0]}?{_query_without_token(request)}$skiptoken={quote(token)}"
                return Answer(200, {"value": value, "nextLink": link})
            value.append(render(record))
            last = record.id.key
        return Answer(200, {"value": value}, counted=bool(value))

    def _lists_all(self, request: Request) -> bool:
        return (request.path.tail or "").lower() == "resources"

    def _all(self, request: Request) -> Answer:
        """`GET …/resources`: every resource of a group or subscription, with few fields."""
        self.groups.require_scope(request.id)
        kind = None
        if type_filter := request.query.get("$filter"):
            match = _TYPE_FILTER.fullmatch(type_filter)
            if match is None:
                raise errors.ArmError(
                    400, "InvalidFilterInQueryString", f"Invalid $filter '{type_filter}' in the query string."
                )
            kind = match.group(1).lower()
        prefix = f"{request.id.key}/"
        keys = ("id", "name", "type", "location", "tags", "sku", "zones", "managedBy")
        value = [
            {key: record.body[key] for key in keys if key in record.body}
            for record in self._services.store.everything()
            if record.id.key.startswith(prefix) and record.id.type != GROUP_TYPE
            if kind is None or record.id.type.lower() == kind
        ]
        return Answer(200, {"value": value})

    def _operation(self, request: Request) -> Answer:
        operation = self._services.operations.get(request.id.name)
        if operation is None:
            raise errors.provider_error(404, "NotFound", f"The operation '{request.id.name}' was not found.")
        return status_answer(request, operation)


def _page_start(request: Request) -> str:
    token = request.query.get("$skiptoken")
    if not token:
        return ""
    try:
        return base64.urlsafe_b64decode(token.encode()).decode()
    except (binascii.Error, ValueError) as error:
        raise errors.ArmError(400, "InvalidSkipToken", f"The skip token '{token}' is invalid.") from error


def _query_without_token(request: Request) -> str:
    pairs = [(key, value) for key, value in request.query.items() if key != "$skiptoken"]
    return "".join(f"{key}={quote(value, safe='')}&" for key, value in pairs)
