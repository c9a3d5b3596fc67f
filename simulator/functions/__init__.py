"""The local Functions host: loads a function app as Azure does and calls its functions by their bindings.

This room decides what a trigger looks like to a function. It refuses to know what the functions do, and it imports
nothing of the app it runs: they meet at `function_app:app`.
"""

from simulator.functions.host import FunctionsHost
from simulator.functions.indexing import IndexedFunction, IndexingFailed, index_app

__all__ = ["FunctionsHost", "IndexedFunction", "IndexingFailed", "index_app"]
