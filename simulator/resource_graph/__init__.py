"""Resource Graph: the part of its query language used on VMs and disks, and the query service."""

from simulator.resource_graph.query import run_query
from simulator.resource_graph.service import ResourceGraph, Tenant
from simulator.resource_graph.syntax import QueryError

__all__ = ["QueryError", "ResourceGraph", "Tenant", "run_query"]
