"""Checked by mypy and pyright, never run: the camelCase spelling is for old code at run time, not for new code."""

from __future__ import annotations

from conductor_async import ConductorClient, OrkesClients, StartWorkflowRequest


async def hidden(client: ConductorClient, request: StartWorkflowRequest) -> None:
    await client.metadata.getWorkflowDef("w")  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    await client.workflow.startWorkflow(request)  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
    workflow = client.workflow
    await workflow.execute_workflow(request, waitUntilTaskRef="r")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    OrkesClients().getMetadataClient()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]


async def shown(client: ConductorClient, request: StartWorkflowRequest) -> None:
    await client.metadata.get_workflow_def("w", 1)
    await client.workflow.execute_workflow(request, "request", "w", 1, wait_until_task_ref="r")
    OrkesClients().get_metadata_client()
