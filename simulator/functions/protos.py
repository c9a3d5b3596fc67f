"""Plain objects in place of the messages between the Functions host and its Python worker.

`azure_functions_runtime` receives the module with these messages as an argument. In Azure they are generated from the
Functions RPC definition; here they are objects that hold their fields. Decides only their names.
https://github.com/Azure/azure-functions-language-worker-protobuf/blob/dev/src/proto/FunctionRpc.proto
"""

from __future__ import annotations

from typing import Any


class Message:
    """Holds the fields it is made with; other fields do not exist."""

    def __init__(self, **fields: Any) -> None:
        self.__dict__.update(fields)

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(name)

    def WhichOneof(self, group: str) -> str | None:
        """The name of the one field that is set: every `oneof` used here is the whole message."""
        return next((name for name in self.__dict__ if name != "name"), None)


class TypedData(Message):
    """A value on its way into or out of a function: string, json, bytes or http."""


class RpcHttp(Message):
    """A request or a response."""


class ParameterBinding(Message):
    """A value for one named parameter."""


class InvocationRequest(Message):
    """A call of one function."""


class InvocationResponse(Message):
    """The result of a call."""


class StatusResult(Message):
    """Whether a request to the worker succeeded."""

    Failure = 0
    Success = 1


class RpcException(Message):
    """An exception of the app, as text."""


class WorkerInitResponse(Message):
    """Whether the app could be loaded and indexed."""


class WorkerMetadata(Message):
    """The worker's runtime."""


class RpcFunctionMetadata(Message):
    """One indexed function."""


class RpcRetryOptions(Message):
    """A function's retry policy."""


class BindingInfo(Message):
    """One binding of a function, as the worker validates it."""

    out = 1
    inout = 2
    undefined = 0


class RpcHttpCookie(Message):
    """A cookie of a response."""


class NullableString(Message):
    """An optional string of a cookie."""


class NullableBool(Message):
    """An optional flag of a cookie."""


class NullableDouble(Message):
    """An optional number of a cookie."""


class NullableTimestamp(Message):
    """An optional date of a cookie."""
