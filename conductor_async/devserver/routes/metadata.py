"""Definitions of workflows and tasks: `/metadata`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async.devserver.response import EMPTY, Response, json_response
from conductor_async.devserver.routing import Route

if TYPE_CHECKING:
    from conductor_async.devserver.request import Request
    from conductor_async.devserver.runtime import Runtime

_WORKFLOW_DEF = "com.netflix.conductor.common.metadata.workflow.WorkflowDef"
_TASK_DEF = "com.netflix.conductor.common.metadata.tasks.TaskDef"


def _register_workflow_def(runtime: Runtime, request: Request) -> Response:
    runtime.engine.metadata.register_workflow_def(request.json_object(_WORKFLOW_DEF), request.flag("overwrite"))
    return EMPTY


def _update_workflow_defs(runtime: Runtime, request: Request) -> Response:
    return json_response(runtime.engine.metadata.update_workflow_defs(request.json_objects(_WORKFLOW_DEF)))


def _validate_workflow_def(runtime: Runtime, request: Request) -> Response:
    runtime.engine.metadata.validate_workflow_def(request.json_object(_WORKFLOW_DEF))
    return EMPTY


def _get_workflow_def(runtime: Runtime, request: Request) -> Response:
    return json_response(runtime.engine.metadata.get_workflow_def(request["name"], request.number("version")))


def _get_all_workflow_defs(runtime: Runtime, request: Request) -> Response:
    return json_response(runtime.engine.metadata.get_all_workflow_defs(request.text("classifier")))


def _get_latest_workflow_defs(runtime: Runtime, _: Request) -> Response:
    return json_response(runtime.engine.metadata.get_latest_workflow_defs())


def _get_workflow_names(runtime: Runtime, _: Request) -> Response:
    return json_response(runtime.engine.metadata.get_workflow_names())


def _get_workflow_names_and_versions(runtime: Runtime, _: Request) -> Response:
    return json_response(runtime.engine.metadata.get_workflow_names_and_versions())


def _get_workflow_versions(runtime: Runtime, request: Request) -> Response:
    return json_response(runtime.engine.metadata.get_workflow_versions(request["name"]))


def _unregister_workflow_def(runtime: Runtime, request: Request) -> Response:
    runtime.engine.metadata.unregister_workflow_def(request["name"], request.path_number("version"))
    return EMPTY


def _register_task_defs(runtime: Runtime, request: Request) -> Response:
    runtime.engine.metadata.register_task_defs(request.json_objects(_TASK_DEF))
    return EMPTY


def _update_task_def(runtime: Runtime, request: Request) -> Response:
    runtime.engine.metadata.update_task_def(request.json_object(_TASK_DEF))
    return EMPTY


def _get_all_task_defs(runtime: Runtime, _: Request) -> Response:
    return json_response(runtime.engine.metadata.get_all_task_defs())


def _get_task_def(runtime: Runtime, request: Request) -> Response:
    return json_response(runtime.engine.metadata.get_task_def(request["name"]))


def _unregister_task_def(runtime: Runtime, request: Request) -> Response:
    runtime.engine.metadata.unregister_task_def(request["name"])
    return EMPTY


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
