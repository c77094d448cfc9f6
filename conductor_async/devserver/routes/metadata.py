"""Definitions of workflows and tasks: `/metadata`."""

from __future__ import annotations

from conductor_async.devserver.routing import Route

__all__ = ["ROUTES"]

_WORKFLOW_DEF = "com.netflix.conductor.common.metadata.workflow.WorkflowDef"
_TASK_DEF = "com.netflix.conductor.common.metadata.tasks.TaskDef"

ROUTES = (
    Route(
        "POST",
        "/metadata/workflow",
        lambda runtime, request: runtime.engine.metadata.register_workflow_def(
            request.json_object(_WORKFLOW_DEF), request.flag("overwrite")
        ),
    ),
    Route(
        "PUT",
        "/metadata/workflow",
        lambda runtime, request: runtime.engine.metadata.update_workflow_defs(request.json_objects(_WORKFLOW_DEF)),
    ),
    Route(
        "GET",
        "/metadata/workflow",
        lambda runtime, request: runtime.engine.metadata.get_all_workflow_defs(request.text("classifier")),
    ),
    Route(
        "POST",
        "/metadata/workflow/validate",
        lambda runtime, request: runtime.engine.metadata.validate_workflow_def(request.json_object(_WORKFLOW_DEF)),
    ),
    Route("GET", "/metadata/workflow/names", lambda runtime, request: runtime.engine.metadata.get_workflow_names()),
    Route(
        "GET",
        "/metadata/workflow/names-and-versions",
        lambda runtime, request: runtime.engine.metadata.get_workflow_names_and_versions(),
    ),
    Route(
        "GET",
        "/metadata/workflow/latest-versions",
        lambda runtime, request: runtime.engine.metadata.get_latest_workflow_defs(),
    ),
    Route(
        "GET",
        "/metadata/workflow/{name}",
        lambda runtime, request: runtime.engine.metadata.get_workflow_def(request["name"], request.number("version")),
    ),
    Route(
        "GET",
        "/metadata/workflow/{name}/versions",
        lambda runtime, request: runtime.engine.metadata.get_workflow_versions(request["name"]),
    ),
    Route(
        "DELETE",
        "/metadata/workflow/{name}/{version}",
        lambda runtime, request: runtime.engine.metadata.unregister_workflow_def(
            request["name"], request.path_number("version")
        ),
    ),
    Route(
        "POST",
        "/metadata/taskdefs",
        lambda runtime, request: runtime.engine.metadata.register_task_defs(request.json_objects(_TASK_DEF)),
    ),
    Route(
        "PUT",
        "/metadata/taskdefs",
        lambda runtime, request: runtime.engine.metadata.update_task_def(request.json_object(_TASK_DEF)),
    ),
    Route("GET", "/metadata/taskdefs", lambda runtime, request: runtime.engine.metadata.get_all_task_defs()),
    Route(
        "GET",
        "/metadata/taskdefs/{name}",
        lambda runtime, request: runtime.engine.metadata.get_task_def(request["name"]),
    ),
    Route(
        "DELETE",
        "/metadata/taskdefs/{name}",
        lambda runtime, request: runtime.engine.metadata.unregister_task_def(request["name"]),
    ),
)
