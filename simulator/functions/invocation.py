"""Calls one function through the worker's own invocation code, converters included, and nothing around it.

Decides how a call travels. Refuses to know which trigger it comes from. What the Functions converters refuse in Azure
is refused here, because they are the same code.
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

# The hub lives in memory: host.json's name for it would name storage.
_TASK_HUB = "LocalHub"


class Invoker:
    """Calls functions of the one app that is loaded. `durable_client` makes the configuration that its clients get."""

    def __init__(self, durable_client: Callable[[], str]) -> None:
        self._durable_client = durable_client

    async def call(
        self, function: IndexedFunction, value: TypedData, metadata: Mapping[str, TypedData] | None = None
    ) -> TypedData | None:
        """Call `function` with the value of its trigger; what it returned. FunctionFailed if it raised."""
        inputs = [ParameterBinding(name=function.trigger["name"], data=value)]
        client = function.durable_client
        if client is not None:
            inputs.append(ParameterBinding(name=client, data=TypedData(string=self._durable_client())))
        # A function that is no coroutine runs in a thread, and its durable client asks the hub on this very loop.
        with needing_the_loop() if client is not None else nullcontext():
            response = await runtime.invocation_request(_request(function, inputs, metadata or {}))
        if response.result.status != protos.StatusResult.Success:
            raise _failure(response.result.exception)
        result: TypedData | None = response.return_value
        return result


def durable_client_configuration(rpc_url: str, host_url: str, system_key: str, max_message_bytes: int) -> str:
    """The JSON a durable client binding hands to the app, with the system key inside, as in Azure.

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
    # The worker reports "ValueError: text"; the Durable extension splits it into type and message at the first colon.
    error_type, colon, message = exception.message.partition(": ")
    if not colon or " " in error_type:
        error_type, message = "(unknown)", exception.message
    return FunctionFailed(error_type, message, exception.stack_trace)
