"""Registers every function of the app with its trigger and its durable bindings."""

import os

import azure.durable_functions as df

from refresh.activities import ACTIVITIES, CLIENT_ACTIVITIES
from refresh.dispatcher import ENTITIES
from refresh.orchestrations import ORCHESTRATIONS
from refresh.triggers.events.event_binding import accept_every_event
from refresh.triggers.events.on_resource_write import on_resource_write
from refresh.triggers.http.routes import ROUTES, auth_level
from refresh.triggers.library_version import read_version_once
from refresh.triggers.timers.monthly_refresh import monthly_refresh
from refresh.triggers.timers.purge_history import purge_history
from refresh.triggers.timers.sweep import sweep
from refresh.triggers.timers.weekly_retention import weekly_retention

app = df.DFApp(http_auth_level=auth_level(os.environ))

for timer, schedule in (
    (monthly_refresh, "%REFRESH_SCHEDULE%"),
    (sweep, "%SWEEP_SCHEDULE%"),
    (purge_history, "%PURGE_SCHEDULE%"),
    (weekly_retention, "%RETENTION_SCHEDULE%"),
):
    app.timer_trigger(arg_name="timer", schedule=schedule)(app.durable_client_input(client_name="client")(timer))

accept_every_event()
read_version_once()
app.event_grid_trigger(arg_name="event")(app.durable_client_input(client_name="client")(on_resource_write))

for entry in ROUTES:
    app.route(route=entry.route, methods=[entry.method])(app.durable_client_input(client_name="client")(entry.handler))

for orchestration in ORCHESTRATIONS:
    app.orchestration_trigger(context_name="ctx")(orchestration)

for entity in ENTITIES:
    app.entity_trigger(context_name="ctx")(entity)

for activity in ACTIVITIES:
    activity.__annotations__ = {}  # the Functions indexer refuses parameterised types such as dict[str, Any]
    app.activity_trigger(input_name="data")(activity)

for reader in CLIENT_ACTIVITIES:
    reader.__annotations__ = {}
    app.activity_trigger(input_name="data")(app.durable_client_input(client_name="client")(reader))
