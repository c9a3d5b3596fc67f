"""The durable hub: what Azure stores for Durable Functions, held in memory and timed by the simulator's clock.

Decides when work is handed to a worker, what survives a worker's death and in what order things happen, as Microsoft's
engine does (`simulator.engine`). Does not know how a function is loaded or called: that is `simulator.functions`,
reached through `Worker`.
"""

from simulator.durable.hub import DurableHub, Limits
from simulator.durable.trace import TraceEntry
from simulator.durable.worker import FunctionFailed, FunctionMissing, Interruptions, Worker, WorkerDied

__all__ = [
    "DurableHub",
    "FunctionFailed",
    "FunctionMissing",
    "Interruptions",
    "Limits",
    "TraceEntry",
    "Worker",
    "WorkerDied",
]
