"""The durable hub: what Azure stores for Durable Functions, held in memory and timed by the simulator's clock.

This room decides when work is handed to a worker, what survives a worker's death and in what order things happen.
It refuses to know how a function is loaded or called: that is `simulator.functions`, reached through `Worker`.
"""

from simulator.durable.hub import DurableHub, Limits
from simulator.durable.trace import TraceEntry
from simulator.durable.worker import FunctionFailed, Interruptions, Worker, WorkerDied

__all__ = ["DurableHub", "FunctionFailed", "Interruptions", "Limits", "TraceEntry", "Worker", "WorkerDied"]
