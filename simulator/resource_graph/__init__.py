"""Resource Graph: the query language people use on VMs and disks, and the service that answers it."""

from simulator.resource_graph.query import run_query
from simulator.resource_graph.service import ResourceGraph
from simulator.resource_graph.syntax import QueryError

__all__ = ["QueryError", "ResourceGraph", "run_query"]
