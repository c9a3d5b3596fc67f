"""The local Functions host: loads a function app as Azure does and calls its functions through their bindings.

Decides what a function receives from its trigger. Does not know what the functions do and imports nothing of the app:
it loads `function_app:app`.
"""

from simulator.functions.host import FunctionsHost
from simulator.functions.indexing import IndexedFunction, IndexingFailed, index_app

__all__ = ["FunctionsHost", "IndexedFunction", "IndexingFailed", "index_app"]
