"""The durable hub: what Azure stores for Durable Functions, held in memory and timed by the simulator's clock.

Decides when work is handed to a worker, what survives a worker's crash, and the order of events, as Microsoft's engine
does (`simulator.engine`). Does not load or call functions: `simulator.functions` does, reached through `Worker`.
"""

from simulator.durable.hub import DurableHub
from simulator.durable.limits import Limits
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
