"""The tables of a task hub in storage: facts that no API returns, and the rows that a crash of the engine leaves.

Decides how the tables are read and written. Does not know how the engine uses them.
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

# The columns that an engine writes at every turn of an instance; it writes the others at the first turn.
_OF_EVERY_TURN = ("PartitionKey", "RowKey", "CustomStatus", "ExecutionId", "TaskHubName")


@dataclass(frozen=True)
class HubTables:
    """The tables of `task_hub` in the storage behind `connection_string`."""

    http: aiohttp.ClientSession
    connection_string: str
    task_hub: str

    async def owners(self) -> Counter[str]:
        """The number of control queues that each worker owns; a queue without an owner counts for ''."""
        rows = json.loads(await self._request("GET", "Partitions()"))["value"]
        return Counter(str(row.get("CurrentOwner") or "") for row in rows)

    async def tear(self, instance_id: str) -> None:
        """Leave the instance's row as after a crash between the first write of the history and the write of its row.

        A later turn then creates the row, without the columns of the first turn.
        """
        row = f"Instances(PartitionKey='{instance_id}',RowKey='')"
        kept = json.loads(await self._request("GET", row))
        torn = {name: kept[name] for name in _OF_EVERY_TURN}
        time = {"LastUpdatedTime": kept["LastUpdatedTime"], "LastUpdatedTime@odata.type": "Edm.DateTime"}
        await self._request("PUT", row, {**torn, **time}, {"If-Match": "*"})

    async def _request(self, method: str, row: str, body: Any = None, headers: dict[str, str] | None = None) -> str:
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
