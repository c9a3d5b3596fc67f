"""Every record survives the JSON converters of Azure Functions and Durable."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from azure.durable_functions.internal.serialization import DEFAULT_FUNCTIONS_DATA_CONVERTER as CONVERTER
from azure.functions._durable_functions import df_dumps, df_loads

from refresh.dispatcher.operations import apply
from refresh.domain.terms.decision_kind import DecisionKind
from refresh.orchestrations.swap.swap_vms import outcome_row
from refresh.records import events, month, recipes, retention, selfcheck, swap
from refresh.records.dispatcher_state import DispatcherState
from refresh.records.record import BadRecord, Record
from refresh.records.swap_request import SwapRequest

VM = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/v"
HEALTH = swap.Health(("web01",), ("0:data:None",), "tcp:22", True, 600, False)
INTENT = swap.Intent("swap-x-1", True, "old", "new", agent_spoke=True, previous="p", version="v", health=HEALTH)
WARNED = swap.SwapWarning("spot-vm", "message")
RECORDS: list[Record] = [
    HEALTH,
    INTENT,
    swap.Claimed("yours", True, INTENT, "stop", ("r",), ("d",), ("h",), ("o",), {"tag": "v"}, "disk", "t"),
    swap.StepInput(VM, "disk", "t", "t", "t", True, True, health=HEALTH),
    swap.StepResult(swap.StepState.DONE, "t", "t", "t", "Code", "message", "evidence", True, 90.0, ("rung",), "t"),
    swap.Prepared(DecisionKind.SWAP, "wanted", "m", INTENT, {"tag": "value"}, ("stop",), ("start",), 41.0, 60),
    WARNED,
    swap.Outcome(
        VM,
        "run",
        swap.OutcomeStatus.SUCCEEDED,
        "verified",
        "m",
        "old",
        "new",
        41.5,
        "t",
        "t",
        ("e",),
        ("az",),
        (WARNED,),
        "power-off",
        40.1,
    ),
    SwapRequest((VM,), "disk", True, ({"vm": VM},)),
    events.Event("refresh.swap.refused", "swap-x-1", VM, "t", {"vm": VM}, "no-capacity"),
    month.MonthInput("202611", (VM,), "auto", True, True),
    month.BulkInput("202611", (VM,), "auto", True, True, ({"vm": VM},)),
    month.BatchInput((VM,), "202611", True),
    month.BuildInput("d", "202611", ("westeurope",), True, "v", "s", True, "t", {"westeurope": 51}, "vm"),
    month.BuildInput("d", "p", body={"tags": {}}, definition_body={"a": [1]}, image="i", image_body={"b": {}}),
    month.ImageRow("d", "create", "r", "m", "v", regions=("westeurope",)),
    month.VmRow(VM, "create", "r", "m", "c", "n", "w"),
    recipes.TemporaryGroup("g", "build", "d", "s", "l", "r", "t", True, 3600.0, "x", "p:o:s:v", "v", False, "t"),
    recipes.Stage(recipes.StageState.FAILED, "no-build-marker", "message", ("line",), ("az",), "t"),
    recipes.ProofInput("d", "v"),
    retention.RetentionInput(True, True, ("d",), ("v",), ({"id": "x"},)),
    retention.DeletionInput(("d",), {"d": "why"}, ("definition",)),
    retention.ResourceRow("disk", "d", "delete", "r", "m", 30, 3.96),
    selfcheck.CheckRow("timer", False, "message", "cure", 1.5),
]


def subclasses(record: type[Record]) -> set[type[Record]]:
    return set(record.__subclasses__()).union(*(subclasses(each) for each in record.__subclasses__()))


def test_every_record_is_tested() -> None:
    """This test has one value of each record type."""
    assert {type(record) for record in RECORDS} == subclasses(Record)


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)
def test_a_record_survives_the_functions_converter(record: Record) -> None:
    """A record is unchanged as the result of an activity, as its input, and by the orchestrator's converter."""
    crossed: Any = df_loads(df_dumps(record.to_json()))
    assert type(record).from_json(crossed) == record
    text = CONVERTER.serialize(record.to_json())
    assert type(record).from_json(CONVERTER.deserialize(text)) == record
    assert json.loads(df_dumps(record.to_json())) == record.to_json()


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: type(record).__name__)
def test_a_record_names_the_field_that_is_missing_or_wrong(record: Record) -> None:
    """An invalid record raises `BadRecord` with the name of the field."""
    kind = type(record)
    required = [
        field.name
        for field in dataclasses.fields(kind)  # type: ignore[arg-type]
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    ]
    for name in required:
        with pytest.raises(BadRecord, match=name):
            kind.from_json({key: value for key, value in record.to_json().items() if key != name})
        with pytest.raises(BadRecord, match=name):
            kind.from_json({**record.to_json(), name: {"not": "this"}})
    with pytest.raises(BadRecord):
        kind.from_json("text")


def test_a_state_or_status_that_is_unknown_is_refused() -> None:
    """An enum field accepts its own values alone, and the error names the field."""
    with pytest.raises(BadRecord, match=r"StepResult\.state: expected one of done, waiting"):
        swap.StepResult.from_json({"state": "nonsense"})


def test_a_swap_status_of_a_newer_version_is_kept() -> None:
    """The dispatcher frees the claim, and a run over many VMs has the row; docs/upgrade.md adds codes at any time."""
    stored = {"vm": VM, "run": "swap-x-2", "status": "postponed", "reason": "r", "message": "m"}
    outcome = swap.Outcome.from_json(stored)
    assert (outcome.to_json()["status"], outcome_row(outcome)["status"]) == ("postponed", "postponed")
    state = DispatcherState({"running": {VM.lower(): {"id": VM, "n": 2}}})
    effects = apply(state, "finished", {"vm": VM, "n": 2, "outcome": stored, "at": "2026-11-21T10:00:00+00:00"})
    assert (effects.answer, len(effects.state.running), len(effects.state.finished)) == ({"ok": True}, 0, 1)


def test_renamed_fields_keep_their_json_keys() -> None:
    """Fields whose names changed keep the keys that histories of runs under way have."""
    event = events.Event("refresh.swap.refused", "swap-x-1", VM, "t", discriminator="no-capacity")
    assert event.to_json()["turn"] == "no-capacity"
    assert retention.RetentionInput.from_json({"told": [{"id": "x"}]}).rows == ({"id": "x"},)
