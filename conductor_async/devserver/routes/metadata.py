"""Definitions of workflows and tasks: `/metadata`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async.devserver.exchange import NOTHING, Request, Response, as_json
from conductor_async.devserver.routing import Route

if TYPE_CHECKING:
    from conductor_async.devserver.runtime import Runtime

_WORKFLOW_DEF = "com.netflix.conductor.common.metadata.workflow.WorkflowDef"
_TASK_DEF = "com.netflix.conductor.common.metadata.tasks.TaskDef"


def _register_workflow_def(runtime: Runtime, ask: Request) -> Response:
    runtime.engine.metadata.register_workflow_def(ask.object(_WORKFLOW_DEF), ask.flag("overwrite"))
    return NOTHING


def _update_workflow_defs(runtime: Runtime, ask: Request) -> Response:
    return as_json(runtime.engine.metadata.update_workflow_defs(ask.objects(_WORKFLOW_DEF)))


def _validate_workflow_def(runtime: Runtime, ask: Request) -> Response:
    runtime.engine.metadata.validate_workflow_def(ask.object(_WORKFLOW_DEF))
    return NOTHING


def _get_workflow_def(runtime: Runtime, ask: Request) -> Response:
    return as_json(runtime.engine.metadata.get_workflow_def(ask["name"], ask.number("version")))


def _get_all_workflow_defs(runtime: Runtime, ask: Request) -> Response:
    return as_json(runtime.engine.metadata.get_all_workflow_defs(ask.text("classifier")))


def _get_latest_workflow_defs(runtime: Runtime, _: Request) -> Response:
    return as_json(runtime.engine.metadata.get_latest_workflow_defs())


def _get_workflow_names(runtime: Runtime, _: Request) -> Response:
    return as_json(runtime.engine.metadata.get_workflow_names())


def _get_workflow_names_and_versions(runtime: Runtime, _: Request) -> Response:
    return as_json(runtime.engine.metadata.get_workflow_names_and_versions())


def _get_workflow_versions(runtime: Runtime, ask: Request) -> Response:
    return as_json(runtime.engine.metadata.get_workflow_versions(ask["name"]))


def _unregister_workflow_def(runtime: Runtime, ask: Request) -> Response:
    runtime.engine.metadata.unregister_workflow_def(ask["name"], ask.segment_number("version"))
    return NOTHING


def _register_task_defs(runtime: Runtime, ask: Request) -> Response:
    runtime.engine.metadata.register_task_defs(ask.objects(_TASK_DEF))
    return NOTHING


def _update_task_def(runtime: Runtime, ask: Request) -> Response:
    runtime.engine.metadata.update_task_def(ask.object(_TASK_DEF))
    return NOTHING


def _get_all_task_defs(runtime: Runtime, _: Request) -> Response:
    return as_json(runtime.engine.metadata.get_all_task_defs())


def _get_task_def(runtime: Runtime, ask: Request) -> Response:
    return as_json(runtime.engine.metadata.get_task_def(ask["name"]))


def _unregister_task_def(runtime: Runtime, ask: Request) -> Response:
    runtime.engine.metadata.unregister_task_def(ask["name"])
    return NOTHING


ROUTES = (
    Route("POST", "/metadata/workflow", _register_workflow_def),
    Route("PUT", "/metadata/workflow", _update_workflow_defs),
    Route("GET", "/metadata/workflow", _get_all_workflow_defs),
    Route("POST", "/metadata/workflow/validate", _validate_workflow_def),
    Route("GET", "/metadata/workflow/names", _get_workflow_names),
    Route("GET", "/metadata/workflow/names-and-versions", _get_workflow_names_and_versions),
    Route("GET", "/metadata/workflow/latest-versions", _get_latest_workflow_defs),
    Route("GET", "/metadata/workflow/{name}", _get_workflow_def),
    Route("GET", "/metadata/workflow/{name}/versions", _get_workflow_versions),
    Route("DELETE", "/metadata/workflow/{name}/{version}", _unregister_workflow_def),
    Route("POST", "/metadata/taskdefs", _register_task_defs),
    Route("PUT", "/metadata/taskdefs", _update_task_def),
    Route("GET", "/metadata/taskdefs", _get_all_task_defs),
    Route("GET", "/metadata/taskdefs/{name}", _get_task_def),
    Route("DELETE", "/metadata/taskdefs/{name}", _unregister_task_def),
)
