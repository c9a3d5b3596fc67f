"""The tables of a task hub in storage: what the engine keeps there that no API tells, and what a crash leaves there.

Decides how the tables are asked. Does not know what the engine makes of them.
https://github.com/Azure/durabletask/tree/main/src/DurableTask.AzureStorage
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections import Counter
from dataclasses import dataclass
from email.utils import formatdate
from typing import Any
from urllib.parse import urlsplit

import aiohttp

# What an engine writes of an instance at every turn; the rest of the row comes with the turn that begins it.
_OF_EVERY_TURN = ("PartitionKey", "RowKey", "CustomStatus", "ExecutionId", "TaskHubName")


@dataclass(frozen=True)
class HubTables:
    """The tables of `task_hub` in the storage behind `connection_string`."""

    http: aiohttp.ClientSession
    connection_string: str
    task_hub: str

    async def owners(self) -> Counter[str]:
        """How many control queues each worker owns now; one that has no owner counts for ''."""
        rows = json.loads(await self._ask("GET", "Partitions()"))["value"]
        return Counter(str(row.get("CurrentOwner") or "") for row in rows)

    async def tear(self, instance_id: str) -> None:
        """Leave the instance's row as an engine does that dies between the first history and the row that goes with it.

        The row is then made by a later turn, which does not know what the first one would have written.
        """
        row = f"Instances(PartitionKey='{instance_id}',RowKey='')"
        kept = json.loads(await self._ask("GET", row))
        torn = {name: kept[name] for name in _OF_EVERY_TURN}
        time = {"LastUpdatedTime": kept["LastUpdatedTime"], "LastUpdatedTime@odata.type": "Edm.DateTime"}
        await self._ask("PUT", row, {**torn, **time}, {"If-Match": "*"})

    async def _ask(self, method: str, row: str, body: Any = None, headers: dict[str, str] | None = None) -> str:
        parts = dict(part.split("=", 1) for part in self.connection_string.rstrip(";").split(";"))
        url, date = f"{parts['TableEndpoint']}/{self.task_hub}{row}", formatdate(usegmt=True)
        # https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key
        text = f"{date}\n/{parts['AccountName']}{urlsplit(url).path}".encode()
        signature = hmac.new(base64.b64decode(parts["AccountKey"]), text, hashlib.sha256).digest()
        named = {
            "Authorization": f"SharedKeyLite {parts['AccountName']}:{base64.b64encode(signature).decode()}",
            "Accept": "application/json;odata=nometadata",
            "x-ms-date": date,
            "x-ms-version": "2019-02-02",
            **(headers or {}),
        }
        async with self.http.request(method, url, json=body, headers=named) as answer:
            assert answer.status < 300, await answer.text()
            return await answer.text()
