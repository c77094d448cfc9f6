"""Payloads that the server keeps outside, because they are large: fetched, never shown as empty.

The server gives a URL, which may point anywhere. So it is fetched without our token, and only from the server's own
host and those that `Configuration.external_payload_hosts` names.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from conductor_async._http.routes import route
from conductor_async.errors import APIError, ExternalPayloadError, ResponseDecodeError, TransportError
from conductor_async.models import ExternalStorageLocation

if TYPE_CHECKING:
    from conductor_async._http.call import Api
    from conductor_async.models import Task, Workflow


async def fill_workflow(api: Api, workflow: Workflow) -> None:
    """Fetches the input and output of an execution and of its tasks, where they are kept outside.

    Raises:
        ExternalPayloadError: One could not be fetched.
    """
    if path := workflow.external_input_payload_storage_path:
        workflow.input = await _fetch(api, "/workflow", path, "WORKFLOW_INPUT")
    if path := workflow.external_output_payload_storage_path:
        workflow.output = await _fetch(api, "/workflow", path, "WORKFLOW_OUTPUT")
    for task in workflow.tasks:
        await fill_task(api, task)


async def fill_task(api: Api, task: Task) -> None:
    """Fetches the input and output of a task, where they are kept outside.

    Raises:
        ExternalPayloadError: One could not be fetched.
    """
    if path := task.external_input_payload_storage_path:
        task.input_data = await _fetch(api, "/tasks", path, "TASK_INPUT")
    if path := task.external_output_payload_storage_path:
        task.output_data = await _fetch(api, "/tasks", path, "TASK_OUTPUT")


async def _fetch(api: Api, resource: str, path: str, payload_type: str) -> dict[str, Any]:
    what = f"The {payload_type.lower().replace('_', ' ')} is kept outside the server at {path!r}"
    try:
        location = await api.call(
            "GET",
            route(f"{resource}/externalstoragelocation"),
            params={"path": path, "operation": "READ", "payloadType": payload_type},
            returns=ExternalStorageLocation,
        )
    except (TransportError, APIError, ResponseDecodeError) as error:
        raise ExternalPayloadError(f"{what}, and the server did not say where: {error}", path=path) from error
    uri = location.uri
    if not uri:
        raise ExternalPayloadError(
            f"{what}, and the server does not say how to fetch it: its storage has no URL", path=path
        )
    try:
        parts = urlsplit(uri)
    except ValueError as error:
        raise ExternalPayloadError(
            f"{what}, and what the server says of the place is no URL: {error}", path=path
        ) from error
    allowed = {urlsplit(api.configuration.server_api_url).hostname, *api.configuration.external_payload_hosts}
    if parts.scheme not in ("http", "https") or parts.hostname not in allowed:
        raise ExternalPayloadError(
            f"{what}, on the host {parts.hostname!r}. Payloads are fetched from hosts that you allow only:"
            " Configuration(external_payload_hosts=[...])",
            path=path,
        )
    try:
        payload = json.loads(await api.fetch_external(uri))
    except (TransportError, APIError, ResponseDecodeError, ValueError, RecursionError) as error:
        raise ExternalPayloadError(
            f"{what}, and could not be fetched from {parts.hostname!r}: {error}", path=path
        ) from error
    if not isinstance(payload, dict):
        raise ExternalPayloadError(f"{what}, and is not a JSON object there", path=path)
    return cast("dict[str, Any]", payload)
