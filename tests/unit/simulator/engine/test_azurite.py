"""Azurite as a separate process."""

from __future__ import annotations

import asyncio

import aiohttp

from simulator.engine.azurite import Azurite
from tests.support.infra.external_tools import need_azurite


def test_each_azurite_has_ports_of_its_own() -> None:
    """Two at once listen on six different ports, answer there, and have ended afterwards."""
    need_azurite()

    async def main() -> None:
        async with aiohttp.ClientSession() as http:
            async with Azurite() as one, Azurite() as other:
                ports = [*one.ports.values(), *other.ports.values()]
                assert len(set(ports)) == 6
                assert one.ports.keys() == {"Blob", "Queue", "Table"}
                for port in ports:
                    assert f"http://127.0.0.1:{port}/" in one.connection_string + other.connection_string
                    async with http.get(f"http://127.0.0.1:{port}/devstoreaccount1?comp=list") as answer:
                        assert "Azurite" in answer.headers["Server"]
            for port in ports:
                try:
                    async with http.get(f"http://127.0.0.1:{port}/"):
                        raise AssertionError(f"port {port} still answers")
                except aiohttp.ClientConnectorError:
                    continue

    asyncio.run(main())
