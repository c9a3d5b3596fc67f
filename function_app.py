"""Table of contents: every function of the app, registered by call."""

import os

import azure.durable_functions as df

from refresh.activities.disks.make_disks import make_disks
from refresh.activities.disks.read_scope import read_scope
from refresh.activities.disks.write_disk_tags import write_disk_tags
from refresh.activities.images.admit_version import admit_version
from refresh.activities.images.begin_version import begin_version
from refresh.activities.images.discard_version import discard_version
from refresh.activities.images.explain_version import explain_version
from refresh.activities.images.list_builds import list_builds
from refresh.activities.images.make_definition import make_definition
from refresh.activities.images.make_image import make_image
from refresh.activities.images.plan_version import plan_version
from refresh.activities.images.watch_version import watch_version
from refresh.activities.notifications.publish_event import publish_event
from refresh.activities.recipes.ensure_build_group import ensure_build_group
from refresh.activities.recipes.ensure_build_vm import ensure_build_vm
from refresh.activities.recipes.ensure_generalized import ensure_generalized
from refresh.activities.recipes.ensure_group_gone import ensure_group_gone
from refresh.activities.recipes.ensure_proof_vm import ensure_proof_vm
from refresh.activities.recipes.find_leftovers import find_leftovers
from refresh.activities.recipes.plan_proof import plan_proof
from refresh.activities.recipes.plan_recipe import plan_recipe
from refresh.activities.recipes.watch_build_vm import watch_build_vm
from refresh.activities.retention.delete_disks import delete_disks
from refresh.activities.retention.delete_versions import delete_versions
from refresh.activities.retention.find_holders import find_holders
from refresh.activities.retention.plan_retention import plan_retention
from refresh.activities.retention.watch_deletions import watch_deletions
from refresh.activities.selfcheck.begin_selfcheck import begin_selfcheck
from refresh.activities.selfcheck.check_instances import check_instances
from refresh.activities.selfcheck.check_subscription import check_subscription
from refresh.activities.selfcheck.keep_time import keep_time
from refresh.activities.swap.clear_intent import clear_intent
from refresh.activities.swap.count_swaps import count_swaps
from refresh.activities.swap.ensure_healthy import ensure_healthy
from refresh.activities.swap.ensure_os_disk import ensure_os_disk
from refresh.activities.swap.ensure_started import ensure_started
from refresh.activities.swap.ensure_stopped import ensure_stopped
from refresh.activities.swap.find_outcomes import find_outcomes
from refresh.activities.swap.prepare_swap import prepare_swap
from refresh.activities.swap.quarantine_version import quarantine_version
from refresh.activities.swap.read_hints import read_hints
from refresh.activities.swap.write_intent import write_intent
from refresh.activities.swap.write_rejection import write_rejection
from refresh.activities.swap.write_wishes import write_wishes
from refresh.dispatcher.dispatcher import dispatcher
from refresh.orchestrations.disks.create_disks import create_disks
from refresh.orchestrations.disks.refresh_month import refresh_month
from refresh.orchestrations.disks.write_tags import write_tags
from refresh.orchestrations.images.build_image import build_image
from refresh.orchestrations.images.create_images import create_images
from refresh.orchestrations.recipes.build_vm import build_vm
from refresh.orchestrations.recipes.prove_version import prove_version
from refresh.orchestrations.recipes.run_recipe import run_recipe
from refresh.orchestrations.retention.apply_retention import apply_retention
from refresh.orchestrations.selfcheck.answer_selfcheck import answer_selfcheck
from refresh.orchestrations.selfcheck.selfcheck import selfcheck
from refresh.orchestrations.swap.look import look
from refresh.orchestrations.swap.swap_vm import swap_vm
from refresh.orchestrations.swap.swap_vms import swap_vms
from refresh.triggers.events.on_resource_write import on_resource_write
from refresh.triggers.http.routes import ROUTES, auth_level
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

app.event_grid_trigger(arg_name="event")(app.durable_client_input(client_name="client")(on_resource_write))

for entry in ROUTES:
    app.route(route=entry.route, methods=[entry.method])(app.durable_client_input(client_name="client")(entry.handler))

for orchestration in (
    look,
    swap_vm,
    swap_vms,
    refresh_month,
    create_images,
    build_image,
    run_recipe,
    build_vm,
    prove_version,
    create_disks,
    write_tags,
    apply_retention,
    selfcheck,
    answer_selfcheck,
):
    app.orchestration_trigger(context_name="ctx")(orchestration)

app.entity_trigger(context_name="ctx")(dispatcher)

for activity in (
    read_hints,
    prepare_swap,
    write_intent,
    ensure_stopped,
    ensure_os_disk,
    ensure_started,
    ensure_healthy,
    write_rejection,
    quarantine_version,
    clear_intent,
    publish_event,
    write_wishes,
    read_scope,
    list_builds,
    plan_version,
    make_definition,
    make_image,
    begin_version,
    watch_version,
    admit_version,
    discard_version,
    explain_version,
    plan_recipe,
    ensure_build_group,
    ensure_build_vm,
    watch_build_vm,
    ensure_generalized,
    ensure_group_gone,
    plan_proof,
    ensure_proof_vm,
    make_disks,
    write_disk_tags,
    delete_disks,
    delete_versions,
    watch_deletions,
    begin_selfcheck,
    check_subscription,
    keep_time,
):
    activity.__annotations__ = {}  # the Functions indexer refuses parameterised types such as dict[str, Any]
    app.activity_trigger(input_name="data")(activity)

for reader in (find_outcomes, count_swaps, find_holders, plan_retention, find_leftovers, check_instances):
    reader.__annotations__ = {}
    app.activity_trigger(input_name="data")(app.durable_client_input(client_name="client")(reader))
