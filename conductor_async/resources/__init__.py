"""The server's resources: one class for each, one method for each endpoint."""

from conductor_async.resources.metadata import MetadataClient
from conductor_async.resources.task import TaskClient
from conductor_async.resources.workflow import WorkflowClient
from conductor_async.resources.workflow_bulk import WorkflowBulkClient

__all__ = ["MetadataClient", "TaskClient", "WorkflowBulkClient", "WorkflowClient"]
