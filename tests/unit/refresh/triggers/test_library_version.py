"""The Durable library reads its own version once, not for each durable client."""

from __future__ import annotations

import importlib.metadata
import json

import pytest
from azure.durable_functions import DurableFunctionsClient
from azure.durable_functions.internal import azurefunctions_grpc_interceptor as interceptor

from refresh.triggers.library_version import read_version_once
from simulator.functions.invocation import durable_client_configuration


def test_many_clients_read_the_version_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The metadata of the package is parsed for the first client only, and all send the same version."""
    reads: list[str] = []

    def read(name: str) -> str:
        reads.append(name)
        return importlib.metadata.version(name)

    monkeypatch.setattr(interceptor, "version", read)
    read_version_once()
    read_version_once()
    configuration = durable_client_configuration("http://127.0.0.1:1", "http://127.0.0.1:1", "key", 1000)
    assert json.loads(configuration)["taskHubName"]
    for _ in range(3):
        DurableFunctionsClient(configuration)
    sent = {tuple(interceptor._build_metadata("hub")) for _ in range(3)}
    assert reads == ["azure-functions-durable"]
    version = importlib.metadata.version("azure-functions-durable")
    assert sent == {(("taskhub", "hub"), ("x-user-agent", f"durabletask-python/{version}"))}
