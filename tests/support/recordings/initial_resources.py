"""The initial resources of a recording: those that existed before its first request.

They are derived from its bodies: a resource that is read before it is written is seeded as it was read; one that is
written or referenced before it is read is seeded from the next body that shows it, or as a bare id.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from tests.support.recordings.recordings import Interaction, Json

_ID = re.compile(r"^/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft\.Compute/[^ ]+$", re.IGNORECASE)
_DEFAULT_LOCATION = "westus"
_BARE = 2  # an id and a location: a disk that a seeded VM names is made with the VM


def initial_resources(interactions: list[Interaction]) -> list[Json]:
    """The bodies to seed before the first request of `interactions`, parents first."""
    world = _Seeds(interactions)
    for interaction in interactions:
        world.add(interaction)
    named = {reference.lower() for body in world.seeds.values() for reference in _references(body.get("properties"))}
    seeds = [body for key, body in world.seeds.items() if len(body) > _BARE or key not in named]
    return sorted(seeds, key=lambda body: str(body["id"]).count("/"))


def created_later(interactions: list[Interaction]) -> dict[int, list[Json]]:
    """VMs that something outside the recording made from its resources, by the interaction that first shows them."""
    world = _Seeds(interactions)
    for interaction in interactions:
        world.add(interaction)
    return world.later


def created_outside(before: list[Interaction], shown: Interaction) -> list[Json]:
    """VM extensions that a read shows and no earlier read did: something outside the recording created them."""
    body = shown.body if isinstance(shown.body, dict) else {}
    if shown.method != "GET" or "resources" not in body:
        return []
    earlier = [x for x in before if x.resource_id == shown.resource_id and isinstance(x.body, dict)]
    if any("resources" in x.body for x in earlier):
        return []
    view = body["properties"].get("instanceView", {})
    known = {"extensions": view.get("extensions", []), "vmAgent": view.get("vmAgent", {})}
    return [{"id": body["id"], "resources": body["resources"], "properties": {"instanceView": known}}]


class _Seeds:
    def __init__(self, interactions: list[Interaction]) -> None:
        self._interactions = interactions
        self._written: set[str] = set()
        self._made: set[str] = set()
        self.seeds: dict[str, Json] = {}
        self.later: dict[int, list[Json]] = {}

    def add(self, interaction: Interaction) -> None:
        if interaction.polled_operation:
            return
        self._seed_group(interaction)
        self._seed_preview(interaction)
        if interaction.is_collection:
            for item in interaction.body["value"]:
                self._seen(_moved_into(interaction.path, item), interaction.index)
            return
        target = interaction.resource_id
        if target is None or interaction.status == 404:
            return
        if interaction.method == "GET":
            if interaction.ok and isinstance(interaction.body, dict) and "id" in interaction.body:
                self._seen({**interaction.body, "id": target}, interaction.index)
            return
        self._write(interaction, target)

    def _write(self, interaction: Interaction, target: str) -> None:
        creates = interaction.method == "PUT" and interaction.status != 200
        if not creates and not interaction.path.lower().startswith(f"{target}/providers/microsoft.resources/tags"):
            self._need(target, interaction)
        elif not creates:
            self._need_bare(target)
        for name in _parents(target):
            self._need(name, interaction)
        for reference in _references(interaction.request_body):
            if reference.lower() != target.lower():
                self._need(reference, interaction)
        self._written.add(target.lower())
        if creates:
            self._made.add(target.lower())

    def _seen(self, body: Json, index: int) -> None:
        """Seed a body that was read, unless the recording created it; until it is written, later reads add to it."""
        key = str(body["id"]).lower()
        if key in self._written:
            return
        made = (reference.lower() in self._made for reference in _references(body.get("properties")))
        if key not in self.seeds and "/virtualmachines/" in key and any(made):
            self.later.setdefault(index, []).append(body)
            self._written.add(key)
            return
        self.seeds[key] = _laid_over(self.seeds.get(key, {}), body)

    def _need(self, resource_id: str, at: Interaction) -> None:
        key = resource_id.lower()
        if key in self.seeds or key in self._written:
            return
        later = (x.body for x in self._interactions if x.index > at.index and x.method == "GET" and x.ok)
        found = next((b for b in later if isinstance(b, dict) and str(b.get("id", "")).lower() == key), None)
        body = found or self._image(resource_id) or {"id": resource_id, "location": self._location(at)}
        self.seeds[key] = {**body, "id": resource_id}

    def _need_bare(self, resource_id: str) -> None:
        key = resource_id.lower()
        if resource_id.count("/") > 2 and key not in self.seeds and key not in self._written:
            self.seeds[key] = {"id": resource_id, "location": _DEFAULT_LOCATION}

    def _image(self, resource_id: str) -> Json | None:
        """A managed image that is never read, derived from the version that was made from it."""
        if "/providers/microsoft.compute/images/" not in resource_id.lower():
            return None
        for interaction in self._interactions:
            body = interaction.body if isinstance(interaction.body, dict) else {}
            storage = body.get("properties", {}).get("storageProfile", {})
            if interaction.method == "GET" and storage.get("source", {}).get("id") == resource_id:
                return _image_of(resource_id, body["location"], storage)
        return None

    def _location(self, at: Interaction) -> str:
        for body in (at.body, at.request_body):
            if isinstance(body, dict) and body.get("location"):
                return str(body["location"])
        return _DEFAULT_LOCATION

    def _seed_group(self, interaction: Interaction) -> None:
        if not self._needs_group(interaction):
            return
        group = "/" + "/".join(interaction.segments[:4])
        self.seeds.setdefault(group.lower(), {"id": group, "location": _DEFAULT_LOCATION})

    def _seed_preview(self, interaction: Interaction) -> None:
        """A recorded gallery that is shared with groups belongs to a subscription that takes part in the preview."""
        sent = interaction.request_body if isinstance(interaction.request_body, dict) else {}
        sharing = (sent.get("properties") or {}).get("sharingProfile") or {}
        if interaction.ok and str(sharing.get("permissions", "")).lower() == "groups":
            subscription = "/" + "/".join(interaction.segments[:2])
            self.seeds[subscription.lower()] = {
                "id": subscription,
                "_features": ["Microsoft.Compute/SIGSharing"],
                "tags": {},
            }

    @staticmethod
    def _needs_group(interaction: Interaction) -> bool:
        error = interaction.body.get("error", {}) if isinstance(interaction.body, dict) else {}
        in_group = len(interaction.segments) >= 4 and interaction.segments[2].lower() == "resourcegroups"
        return in_group and error.get("code") != "ResourceGroupNotFound"


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for child in value.values():
            yield from _references(child)
    elif isinstance(value, list):
        for child in value:
            yield from _references(child)
    elif isinstance(value, str) and _ID.match(value):
        yield value
        yield from _parents(value)


def _parents(resource_id: str) -> Iterator[str]:
    head, found, tail = resource_id.rpartition("/providers/")
    names = tail.split("/") if found else []
    yield from (f"{head}/providers/{'/'.join(names[:end])}" for end in range(3, len(names), 2))


def _moved_into(collection: str, item: Json) -> Json:
    """`item` with the group of the collection that lists it: recorders change some spellings of a group."""
    group = "/".join(collection.split("/")[:5])
    _, _, tail = str(item["id"]).partition("/providers/")
    return {**item, "id": f"{group}/providers/{tail}"}


def _laid_over(base: Json, body: Json) -> Json:
    result = dict(base)
    for key, value in body.items():
        old = result.get(key)
        result[key] = _laid_over(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return result


def _image_of(resource_id: str, location: str, storage: Json) -> Json:
    def disk(image: Json) -> Json:
        return {"diskSizeGB": image["sizeInGB"], "caching": image["hostCaching"], "storageAccountType": "Standard_LRS"}

    data = [{"lun": image["lun"], **disk(image)} for image in storage.get("dataDiskImages", [])]
    os_disk = {"osType": "Linux", "osState": "Generalized", **disk(storage["osDiskImage"])}
    return {
        "id": resource_id,
        "location": location,
        "properties": {"storageProfile": {"osDisk": os_disk, "dataDisks": data}},
    }
