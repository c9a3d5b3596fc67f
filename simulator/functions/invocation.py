"""Calls one function through the worker's own invocation code, including its converters.

Decides how a call is passed to the worker. Does not know which trigger caused it. The Functions converters are the same
code as in Azure, so they refuse the same values.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from typing import Any

import azure_functions_runtime as runtime

from simulator.clock import needing_the_loop
from simulator.durable import FunctionFailed
from simulator.functions import protos
from simulator.functions.indexing import IndexedFunction
from simulator.functions.protos import Message, ParameterBinding, TypedData

# The hub is in memory, so host.json's name of a storage hub is not used.
_TASK_HUB = "LocalHub"


class Invoker:
    """Calls functions of the loaded app. `durable_client` returns the configuration of its durable clients."""

    def __init__(self, durable_client: Callable[[], str]) -> None:
        self._durable_client = durable_client

    async def call(
        self, function: IndexedFunction, value: TypedData, metadata: Mapping[str, TypedData] | None = None
    ) -> TypedData | None:
        """Call `function` with the value of its trigger and return its result. FunctionFailed if it raised."""
        inputs = [ParameterBinding(name=function.trigger["name"], data=value)]
        client = function.durable_client
        if client is not None:
            inputs.append(ParameterBinding(name=client, data=TypedData(string=self._durable_client())))
        # A function that is not a coroutine runs in a thread, and its durable client calls the hub on this loop.
        with needing_the_loop() if client is not None else nullcontext():
            response = await runtime.invocation_request(_request(function, inputs, metadata or {}))
        if response.result.status != protos.StatusResult.Success:
            raise _failure(response.result.exception)
        result: TypedData | None = response.return_value
        return result


def durable_client_configuration(rpc_url: str, host_url: str, system_key: str, max_message_bytes: int) -> str:
    """The JSON that a durable client binding passes to the app. It contains the system key, as in Azure.

    https://github.com/microsoft/durabletask-python/blob/main/azure-functions-durable/azure/durable_functions/client.py
    """
    base = f"{host_url}/runtime/webhooks/durabletask"
    required = f"taskHub={_TASK_HUB}&connection=Storage&code={system_key}"
    instance = f"{base}/instances/INSTANCEID"
    return json.dumps(
        {
            "taskHubName": _TASK_HUB,
            "connectionName": "Storage",
            "creationUrls": {
                "createNewInstancePostUri": f"{base}/orchestrators/{{functionName}}[/{{instanceId}}]?{required}",
            },
            "managementUrls": {
                "id": "INSTANCEID",
                "statusQueryGetUri": f"{instance}?{required}",
                "sendEventPostUri": f"{instance}/raiseEvent/{{eventName}}?{required}",
                "terminatePostUri": f"{instance}/terminate?reason={{text}}&{required}",
                "purgeHistoryDeleteUri": f"{instance}?{required}",
            },
            "baseUrl": base,
            "requiredQueryStringParameters": required,
            "rpcBaseUrl": rpc_url,
            "httpBaseUrl": base,
            "maxGrpcMessageSizeInBytes": max_message_bytes,
            "grpcHttpClientTimeout": "00:01:40",
        }
    )


def _request(function: IndexedFunction, inputs: list[ParameterBinding], metadata: Mapping[str, TypedData]) -> Message:
    call = protos.InvocationRequest(
        invocation_id=str(uuid.uuid4()),
        function_id=function.function_id,
        input_data=inputs,
        trigger_metadata=metadata,
        trace_context=Message(trace_parent="", trace_state="", attributes={}),
        retry_context=Message(retry_count=0, max_retry_count=0, exception=None),
    )
    return Message(request=Message(invocation_request=call))


def _failure(exception: Any) -> FunctionFailed:
    # The worker reports "ValueError: text"; the Durable extension splits it at the first colon and keeps one line.
    # https://github.com/Azure/azure-functions-durable-extension/blob/dev/src/WebJobs.Extensions.DurableTask/OutOfProcMiddleware.cs
    error_type, colon, message = exception.message.partition(": ")
    if not colon:
        return FunctionFailed("(unknown)", exception.message, exception.stack_trace)
    return FunctionFailed(error_type.rstrip(), message.partition("\n")[0].rstrip(), exception.stack_trace)
