"""Resource ids and request paths.

Decides how an ARM path splits into subscription, resource group, provider and (type, name) pairs, and that ids compare
without case. Does not know which resources exist.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

# ARM answers these segments in this casing, whatever the casing of the request.
_FIXED_SEGMENTS = {"subscriptions": "subscriptions", "resourcegroups": "resourceGroups", "providers": "providers"}


@dataclass(frozen=True)
class ResourceId:
    """An ARM id as written: a subscription, a resource group, or a resource below either or below the tenant."""

    text: str
    subscription: str | None = None
    group: str | None = None
    namespace: str | None = None
    pairs: tuple[tuple[str, str], ...] = ()

    @cached_property
    def key(self) -> str:
        """The id as the store compares it: lower case."""
        return self.text.lower()

    @cached_property
    def type(self) -> str:
        """The full type as written, such as `Microsoft.Compute/galleries/images`."""
        if self.pairs:
            return "/".join([self.namespace or "", *(kind for kind, _ in self.pairs)])
        return "Microsoft.Resources/resourceGroups" if self.group else "Microsoft.Resources/subscriptions"

    @property
    def name(self) -> str:
        """The last name in the id."""
        if self.pairs:
            return self.pairs[-1][1]
        return self.group or self.subscription or ""

    @property
    def path_name(self) -> str:
        """Types and names, alternating, the form that ARM's "not found" messages use."""
        return "/".join([self.namespace or "", *(part for pair in self.pairs for part in pair)])

    @property
    def group_id(self) -> str:
        """The id of the resource group (the subscription's id where there is no group)."""
        scope = f"/subscriptions/{self.subscription}"
        return f"{scope}/resourceGroups/{self.group}" if self.group else scope

    @property
    def parent(self) -> ResourceId | None:
        """The resource this one is nested in, None for a top-level resource."""
        if len(self.pairs) < 2:
            return None
        text = self.text.rsplit("/", 2)[0]
        return ResourceId(text, self.subscription, self.group, self.namespace, self.pairs[:-1])

    def with_type(self, type_name: str) -> ResourceId:
        """The same id with its type segments in the casing of `type_name`."""
        kinds = type_name.split("/")[1:]
        pairs = tuple((kind, name) for kind, (_, name) in zip(kinds, self.pairs, strict=True))
        namespace = type_name.split("/", maxsplit=1)[0]
        head = "/".join(self.text.split("/")[: -2 * len(self.pairs) - 1])
        text = "/".join([head, namespace, *(part for pair in pairs for part in pair)])
        return ResourceId(text, self.subscription, self.group, namespace, pairs)

    def child(self, kind: str, name: str) -> ResourceId:
        """The id of the resource of type segment `kind` called `name` nested in this one."""
        pairs = (*self.pairs, (kind, name))
        return ResourceId(f"{self.text}/{kind}/{name}", self.subscription, self.group, self.namespace, pairs)


@dataclass(frozen=True)
class Path:
    """A request path: the id it names and, when one segment remains, a collection, view or action below it."""

    id: ResourceId
    tail: str | None
    namespace: str | None

    @property
    def collection_type(self) -> str:
        """The resource type listed when `tail` is a collection."""
        return "/".join([self.namespace or "", *(kind for kind, _ in self.id.pairs), self.tail or ""])


def parse_path(path: str) -> Path:
    """Split `path` (decoded, without query) into the id and the remaining segment; other forms give an empty id."""
    segments = [segment for segment in path.split("/") if segment]
    subscription = group = None
    head, rest = [], segments
    if len(rest) >= 2 and rest[0].lower() == "subscriptions":
        subscription, head, rest = rest[1], rest[:2], rest[2:]
        if len(rest) >= 2 and rest[0].lower() == "resourcegroups":
            group, head, rest = rest[1], head + rest[:2], rest[2:]
    namespace: str | None = None
    # An extension resource has several "providers" segments: the last one names the type, the others its scope.
    lowered = [segment.lower() for segment in rest]
    if "providers" in lowered:
        at = len(lowered) - 1 - lowered[::-1].index("providers")
        if at + 1 < len(rest):
            namespace, head, rest = rest[at + 1], [*head, *rest[: at + 2]], rest[at + 2 :]
    pairs = tuple(zip(rest[::2], rest[1::2], strict=False)) if namespace else ()
    tail = rest[len(pairs) * 2] if len(rest) > len(pairs) * 2 else None
    named = [part for pair in pairs for part in pair]
    if not pairs and namespace:
        head = head[:-2]
    text = "".join(f"/{_FIXED_SEGMENTS.get(segment.lower(), segment)}" for segment in head)
    text += "".join(f"/{segment}" for segment in named)
    return Path(ResourceId(text, subscription, group, namespace if pairs else None, pairs), tail, namespace)


def parse_id(text: str) -> ResourceId:
    """Parse the id of a subscription, group or resource; ValueError when a segment remains or the id is empty."""
    path = parse_path(text)
    if path.tail is not None or not path.id.text:
        raise ValueError(f"not a resource id: {text!r}")
    return path.id
