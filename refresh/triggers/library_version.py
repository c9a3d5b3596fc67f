"""Has the Durable library read its own version once in a process.

The library puts its version into a header of each durable client, and parses the metadata of its package again for each
invocation: half of the processor time that an event takes.
https://github.com/microsoft/durabletask-python/blob/main/azure-functions-durable/azure/durable_functions/internal/azurefunctions_grpc_interceptor.py
"""

from __future__ import annotations

from functools import cache

from azure.durable_functions.internal import azurefunctions_grpc_interceptor as interceptor

_NAME = "version"


def read_version_once() -> None:
    """Remember what the library reads. A second call does nothing; a library without the function stays as it is."""
    read = getattr(interceptor, _NAME, None)
    if read is not None and not hasattr(read, "cache_info"):
        setattr(interceptor, _NAME, cache(read))
