"""A small function app with every kind of function that the local host runs."""

import asyncio
import json
import os
from collections.abc import Generator
from datetime import timedelta
from typing import Any

import azure.durable_functions as df
import azure.functions as func
from durabletask import task
from durabletask.entities import DurableEntity, EntityContext, EntityInstanceId
from script import box, echo, much, pause, script  # type: ignore[import-not-found] # of this folder

app = df.DFApp(http_auth_level=func.AuthLevel.FUNCTION)

type Steps = Generator[task.Task[Any], Any, Any]

LOG = EntityInstanceId("journal", "app")


def greet(ctx: task.OrchestrationContext, name: str) -> Steps:
    """One activity."""
    greeting = yield ctx.call_activity("hello", input=name)
    return greeting


def fan_out(ctx: task.OrchestrationContext, order: dict[str, int]) -> Steps:
    """Many activities in parallel; returns their sum."""
    calls: list[task.Task[Any]] = [
        ctx.call_activity("nap", input={"n": n, "s": order.get("s", 0)}) for n in range(order["count"])
    ]
    numbers = yield task.when_all(calls)
    return sum(numbers)


def slow_child(ctx: task.OrchestrationContext, seconds: int) -> Steps:
    """A durable timer; returns the simulated seconds that it took."""
    began = ctx.current_utc_datetime
    yield ctx.create_timer(ctx.current_utc_datetime + timedelta(seconds=seconds))
    return (ctx.current_utc_datetime - began).total_seconds()


def parent(ctx: task.OrchestrationContext, seconds: int) -> Steps:
    """A sub-orchestration; returns a text when it fails."""
    try:
        took = yield ctx.call_sub_orchestrator("slow_child", input=seconds, instance_id=f"{ctx.instance_id}-child")
    except task.TaskFailedError as failure:
        return f"child failed: {failure.details.message}"
    return took


def countdown(ctx: task.OrchestrationContext, n: int) -> Steps:
    """Continues as new until zero, then waits for an event that may have arrived before."""
    ctx.set_custom_status({"left": n})
    if n > 0:
        yield ctx.create_timer(ctx.current_utc_datetime + timedelta(seconds=1))
        ctx.continue_as_new(n - 1, save_events=True)
        return None
    event = yield ctx.wait_for_external_event("go")
    return event


def race(ctx: task.OrchestrationContext, seconds: int) -> Steps:
    """An event or a timer: the first one wins."""
    timer = ctx.create_timer(ctx.current_utc_datetime + timedelta(seconds=seconds))
    answer = ctx.wait_for_external_event("answer")
    winner = yield task.when_any([timer, answer])
    return "late" if winner == timer else answer.get_result()


def tell(ctx: task.OrchestrationContext, texts: list[str]) -> Steps:
    """Signals the journal, calls it, and returns the error of a failing call."""
    for text in texts:
        ctx.signal_entity(LOG, "add", input=text)
    kept = yield ctx.call_entity(LOG, "read")
    try:
        yield ctx.call_entity(LOG, "refuse", input="no")
    except Exception as refusal:
        return {"kept": kept, "refusal": str(refusal)}
    return kept


def broken(ctx: task.OrchestrationContext, _: None) -> Steps:
    """An activity that raises."""
    try:
        yield ctx.call_activity("fail", input="boom")
    except task.TaskFailedError as failure:
        return {"type": failure.details.error_type, "message": failure.details.message}
    return None


def smuggle(ctx: task.OrchestrationContext, _: None) -> Steps:
    """An activity whose result is not JSON."""
    result = yield ctx.call_activity("unserialisable", input="x")
    return result


def lock(ctx: task.OrchestrationContext, _: None) -> Steps:
    """Requests an entity lock."""
    with (yield ctx.lock_entities([LOG])):
        return "locked"


async def hello(name: str) -> str:
    """An async activity that waits on the event loop."""
    await asyncio.sleep(5)
    return f"hello {name}"


async def nap(order: dict) -> int:  # type: ignore[type-arg] # the worker takes plain types only
    """Sleeps for `s` seconds and returns its number."""
    await asyncio.sleep(order["s"])
    return int(order["n"])


def fail(text: str) -> str:
    """A sync activity that raises."""
    raise ValueError(text)


def unserialisable(_: str) -> object:
    """Returns a value that the Functions converter does not accept."""
    return object()


class Journal(DurableEntity):
    """Keeps a list of texts, and can start an orchestration."""

    def add(self, text: str) -> None:
        """Add a text."""
        self.set_state([*self.get_state(list, []), text])

    def read(self, _: None) -> list[str]:
        """All texts."""
        return self.get_state(list, [])

    def refuse(self, reason: str) -> None:
        """Raise."""
        raise RuntimeError(reason)

    def start(self, instance_id: str) -> None:
        """Start an orchestration from the entity and add its id."""
        self.add(instance_id)
        self.schedule_new_orchestration("greet", "entity", instance_id=instance_id)


def journal(ctx: EntityContext, value: Any) -> Any:
    """The journal entity as a function for the host."""
    actor = Journal()
    actor._initialize_entity_context(ctx)
    return getattr(actor, ctx.operation)(value)


async def http_start(req: func.HttpRequest, client: str) -> func.HttpResponse:
    """Starts an orchestration by name."""
    durable: Any = client
    name = req.route_params["name"]
    payload = json.loads(req.get_body() or b"null")
    instance_id = await durable.schedule_new_orchestration(name, input=payload, instance_id=req.params.get("id"))
    answer: func.HttpResponse = durable.create_check_status_response(req, instance_id)
    return answer


async def http_wait(req: func.HttpRequest, client: str) -> func.HttpResponse:
    """Waits for an orchestration and returns its output."""
    durable: Any = client
    state = await durable.wait_for_orchestration_completion(req.route_params["id"], timeout=600)
    return func.HttpResponse(state.serialized_output, mimetype="application/json", headers={"x-status": "done"})


def http_raise(req: func.HttpRequest) -> func.HttpResponse:
    """A handler that raises."""
    raise ValueError("secret detail")


def http_journal(req: func.HttpRequest, client: str) -> func.HttpResponse:
    """The journal, read with a sync client."""
    durable: Any = client
    return func.HttpResponse(json.dumps(durable.get_entity(LOG).get_typed_state(list)))


async def on_event(event: func.EventGridEvent, client: str) -> None:
    """Signals the journal with the event's subject; raises for the subject `fail`."""
    durable: Any = client
    if event.subject == "fail":
        raise ValueError(event.subject)
    await durable.signal_entity(LOG, "add", input=event.subject)


async def on_timer(timer: func.TimerRequest, client: str) -> None:
    """Signals the journal."""
    durable: Any = client
    await durable.signal_entity(LOG, "add", input=f"timer {os.environ['TOY_NAME']}")


for orchestrator in (greet, fan_out, slow_child, parent, countdown, race, tell, broken, smuggle, lock, script):
    app.orchestration_trigger(context_name="context")(orchestrator)
for activity, parameter in (
    (hello, "name"),
    (nap, "order"),
    (fail, "text"),
    (unserialisable, "_"),
    (echo, "value"),
    (much, "size"),
    (pause, "seconds"),
):
    app.activity_trigger(input_name=parameter)(activity)
for entity in (journal, box):
    app.entity_trigger(context_name="context")(entity)
app.route("start/{name}", methods=["POST"])(app.durable_client_input(client_name="client")(http_start))
app.route("wait/{id}", methods=["GET"])(app.durable_client_input(client_name="client")(http_wait))
app.route("journal", methods=["GET"])(app.durable_client_input(client_name="client")(http_journal))
app.route("raise", methods=["GET"])(http_raise)
app.event_grid_trigger(arg_name="event")(app.durable_client_input(client_name="client")(on_event))
app.timer_trigger(arg_name="timer", schedule="%TOY_SCHEDULE%")(app.durable_client_input(client_name="client")(on_timer))
