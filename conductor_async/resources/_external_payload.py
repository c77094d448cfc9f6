"""Payloads in external storage, because they are too large for the server: fetched, never replaced by an empty one.

The server returns a URL, which may lead anywhere. So we fetch it without the token, and only from the server's own host
and from `Configuration.external_payload_hosts`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from conductor_async._http.json_reader import read_json
from conductor_async._http.routes import route
from conductor_async._text import escaped
from conductor_async.errors import APIError, ExternalPayloadError, ResponseDecodeError, TransportError
from conductor_async.models import ExternalStorageLocation

if TYPE_CHECKING:
    from conductor_async._http.call import Api
    from conductor_async.models import Task, Workflow


async def fill_workflow(api: Api, workflow: Workflow) -> None:
    """Fetches the input and output of an execution and of its tasks, if they are in external storage.

    Raises:
        ExternalPayloadError: Fetching one of them failed.
    """
    if path := workflow.external_input_payload_storage_path:
        workflow.input = await _fetch(api, "/workflow", path, "WORKFLOW_INPUT")
    if path := workflow.external_output_payload_storage_path:
        workflow.output = await _fetch(api, "/workflow", path, "WORKFLOW_OUTPUT")
    for task in workflow.tasks:
        await fill_task(api, task)


async def fill_task(api: Api, task: Task) -> None:
    """Fetches the input and output of a task, if they are in external storage.

    Raises:
        ExternalPayloadError: Fetching one of them failed.
    """
    if path := task.external_input_payload_storage_path:
        task.input_data = await _fetch(api, "/tasks", path, "TASK_INPUT")
    if path := task.external_output_payload_storage_path:
        task.output_data = await _fetch(api, "/tasks", path, "TASK_OUTPUT")


async def _fetch(api: Api, resource: str, path: str, payload_type: str) -> dict[str, Any]:
    what = f"The {payload_type.lower().replace('_', ' ')} is in external storage at {escaped(path)!r}"
    try:
        location = await api.call(
            "GET",
            route(f"{resource}/externalstoragelocation"),
            params={"path": path, "operation": "READ", "payloadType": payload_type},
            returns=ExternalStorageLocation,
        )
    except (TransportError, APIError, ResponseDecodeError) as error:
        raise ExternalPayloadError(f"{what}, and asking the server for its URL failed: {error}", path=path) from error
    if not location.uri:
        raise ExternalPayloadError(f"{what}, but its storage has no URL to fetch it from", path=path)
    host = _allowed_host(api, location.uri, what, path)
    try:
        payload = read_json(await api.fetch_external(location.uri))
    except (TransportError, APIError, ResponseDecodeError, ValueError) as error:
        raise ExternalPayloadError(f"{what}, and fetching it from {host!r} failed: {error}", path=path) from error
    if not isinstance(payload, dict):
        raise ExternalPayloadError(f"{what}, and is not a JSON object", path=path)
    return cast("dict[str, Any]", payload)


def _allowed_host(api: Api, url: str, what: str, path: str) -> str | None:
    """Returns the URL's host, if payloads may be fetched from it."""
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise ExternalPayloadError(
            f"{what}, and the server returned an invalid URL: {escaped(str(error))}", path=path
        ) from error
    allowed = {urlsplit(api.configuration.server_api_url).hostname, *api.configuration.external_payload_hosts}
    if parts.scheme not in ("http", "https") or parts.hostname not in allowed:
        raise ExternalPayloadError(
            f"{what}, on the host {escaped(parts.hostname or '')!r}. Payloads are fetched only from hosts that you"
            " allow: Configuration(external_payload_hosts=[...])",
            path=path,
        )
    return parts.hostname
