"""The endpoints: one module for each resource, named as in `conductor_async.resources`."""

from conductor_async.devserver.routes import (
    admin,
    dev,
    environment,
    event,
    metadata,
    queue_admin,
    scheduler,
    secret,
    task,
    workflow,
    workflow_bulk,
)

__all__ = ["ROUTES"]

ROUTES = (
    *metadata.ROUTES,
    *workflow.ROUTES,
    *workflow_bulk.ROUTES,
    *task.ROUTES,
    *event.ROUTES,
    *scheduler.ROUTES,
    *environment.ROUTES,
    *secret.ROUTES,
    *queue_admin.ROUTES,
    *admin.ROUTES,
    *dev.ROUTES,
)
"""All endpoints under `/api`."""
