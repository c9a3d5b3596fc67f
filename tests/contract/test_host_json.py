"""host.json: docs/host.md has a reason for every value, and values that affect downtime keep their bounds."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from refresh.reading.calls.late_activity import LATE_AFTER_S
from refresh.settings.table import SETTINGS
from simulator.functions.host_json import DEFAULT_MESSAGE_BYTES
from simulator.functions.indexing import index_app
from tests.support.infra.bicep import INFRA
from tests.support.worlds.dispatcher import apply

ROOT = Path(__file__).parents[2]
HOST: dict[str, Any] = json.loads((ROOT / "host.json").read_text())
# The first version of the general bundle: https://github.com/Azure/azure-functions-extension-bundles/tree/4.36.0
FIRST_WITH_GRPC_FOR_PYTHON = (4, 36, 0)
DURABLE_TRIGGERS = {"orchestrationTrigger", "activityTrigger", "entityTrigger"}
DURABLE: dict[str, Any] = HOST["extensions"]["durableTask"]
AT = "2026-11-29T10:00:00+00:00"
SWAP_DECISION = {"decision": "swap", "reason": "wanted", "message": "", "group": "rg-platform-westeurope"}


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """The path and text of every value."""
    if isinstance(value, dict):
        for name, each in value.items():
            yield from leaves(each, f"{path}.{name}" if path else name)
    else:
        yield path, json.dumps(value).strip('"')


def test_every_value_has_its_reason() -> None:
    """docs/host.md has exactly one row for each value, in order, with the value and a reason."""
    rows = re.findall(r"^\| `([^`]+)` \| `([^`]*)` \| (.+) \|$", (ROOT / "docs" / "host.md").read_text(), re.MULTILINE)
    assert [(path, value) for path, value, _ in rows] == list(leaves(HOST))
    assert all(len(reason) > 20 for _, _, reason in rows)


def test_every_swap_has_two_activities() -> None:
    """The limit of concurrent activities is at least twice the default limit of concurrent swaps."""
    (cap,) = [int(setting.default) for setting in SETTINGS if setting.name == "REFRESH_MAX_SWAPS"]
    assert DURABLE["maxConcurrentActivityFunctions"] >= 2 * cap


def test_the_next_step_starts_soon() -> None:
    """Queues are polled every second, and a step of a dead instance restarts after a minute, the minimum in Azure."""
    provider = DURABLE["storageProvider"]
    assert provider["maxQueuePollingInterval"] == "00:00:01"
    assert {provider[f"{queue}VisibilityTimeout"] for queue in ("controlQueue", "workItemQueue")} == {"00:01:00"}


def test_no_message_to_the_dispatcher_is_dropped() -> None:
    """Message sorting is off; with sorting, the engine drops messages from an orchestration to an entity.

    https://github.com/Azure/azure-functions-durable-extension/blob/dev/src/WebJobs.Extensions.DurableTask/Options/DurableTaskOptions.cs
    """
    assert DURABLE["entityMessageReorderWindowInMinutes"] == 0


def test_an_activity_that_is_delivered_again_counts_as_late() -> None:
    """An activity of a dead worker is delivered again only after `LATE_AFTER_S`, so it changes nothing then."""
    minutes = datetime.strptime(DURABLE["storageProvider"]["workItemQueueVisibilityTimeout"], "%H:%M:%S")
    assert minutes.hour * 3600 + minutes.minute * 60 + minutes.second > LATE_AFTER_S


def test_the_dispatchers_state_of_10_000_vms_fits_into_one_message() -> None:
    """A durable client reads the state in one gRPC message, and for 10,000 VMs the default size is too small."""
    vms = [
        f"/subscriptions/aaaaaaaa-0000-4000-8000-000000000001/resourceGroups/rg-platform-{number:03}-westeurope"
        f"/providers/Microsoft.Compute/virtualMachines/virtualmachine-{number:05}"
        for number in range(100)
    ]
    state = apply(None, "hint", {"vms": vms, "force": True, "reply_to": "swaps-202611-00000000", "at": AT}).state
    while (taken := apply(state, "take", {"look": "look-1", "at": AT})).answer["vms"]:
        rows = [
            {**row, **SWAP_DECISION, "wanted": row["vm"].replace("/virtualMachines/", "/disks/")}
            for row in taken.answer["vms"]
        ]
        budgets = {"max_swaps": 0}
        state = apply(taken.state, "decided", {"look": "look-1", "decisions": rows, "budgets": budgets, "at": AT}).state
    assert len(state["queue"]) == len(vms)
    of_10_000 = len(json.dumps(state)) * 10_000 / len(vms)
    assert DEFAULT_MESSAGE_BYTES < of_10_000 < DURABLE["maxGrpcMessageSizeInBytes"] / 2


def test_what_alerts_read_is_not_sampled() -> None:
    """No query of an alert or the workbook reads a sampled table."""
    kept = set(HOST["logging"]["applicationInsights"]["samplingSettings"]["excludedTypes"].split(";"))
    read = {
        table for path in (INFRA / "kql").glob("*.kql") for table in re.findall(r"^App(\w+?)s$", path.read_text(), re.M)
    }
    assert read <= kept


def test_the_bundle_is_the_general_one_and_new_enough_for_the_library() -> None:
    """Every bundle in the range has a Durable extension that supports gRPC for Python."""
    bundle = HOST["extensionBundle"]
    assert bundle["id"] == "Microsoft.Azure.Functions.ExtensionBundle"
    (least,) = re.findall(r"^\[(\d+\.\d+\.\d+), 5\.0\.0\)$", bundle["version"])
    assert tuple(map(int, least.split("."))) >= FIRST_WITH_GRPC_FOR_PYTHON


def test_every_durable_function_requires_grpc() -> None:
    """Every durable trigger has `durableRequiresGrpc`, which older Durable extensions do not support."""
    durable = [each.trigger for each in index_app(ROOT) if each.trigger["type"] in DURABLE_TRIGGERS]
    assert len(durable) > 20
    assert all(trigger.get("durableRequiresGrpc") is True for trigger in durable)
