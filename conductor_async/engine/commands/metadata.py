"""Definitions of workflows and tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conductor_async.models import JsonObject

__all__ = ["MetadataCommands"]


class MetadataCommands:
    """Definitions of workflows and tasks."""

    def register_workflow_def(self, workflow_def: JsonObject, overwrite: bool = False) -> None:
        """Keep a new definition, or replace it in place (`overwrite`)."""
        raise NotImplementedError

    def update_workflow_defs(self, workflow_defs: list[JsonObject]) -> JsonObject:
        """Create or update definitions; nothing is stored if one of them is invalid. Returns a BulkResponse."""
        raise NotImplementedError

    def validate_workflow_def(self, workflow_def: JsonObject) -> None:
        """Check a definition without keeping it."""
        raise NotImplementedError

    def get_workflow_def(self, name: str, version: int | None = None) -> JsonObject:
        """A definition, the latest version by default."""
        raise NotImplementedError

    def get_all_workflow_defs(self, classifier: str | None = None) -> list[JsonObject]:
        """All versions of all definitions."""
        raise NotImplementedError

    def get_latest_workflow_defs(self) -> list[JsonObject]:
        """The latest version of each definition."""
        raise NotImplementedError

    def get_workflow_names(self) -> list[str]:
        """The names of all definitions."""
        raise NotImplementedError

    def get_workflow_names_and_versions(self) -> dict[str, list[JsonObject]]:
        """The versions of each name."""
        raise NotImplementedError

    def get_workflow_versions(self, name: str) -> list[JsonObject]:
        """The versions of one name; none for an unknown one."""
        raise NotImplementedError

    def unregister_workflow_def(self, name: str, version: int) -> None:
        """Forget a definition. Executions keep their copy."""
        raise NotImplementedError

    def register_task_defs(self, task_defs: list[JsonObject]) -> None:
        """Create or update task definitions."""
        raise NotImplementedError

    def update_task_def(self, task_def: JsonObject) -> None:
        """Update a task definition that exists."""
        raise NotImplementedError

    def get_task_def(self, name: str) -> JsonObject:
        """A task definition."""
        raise NotImplementedError

    def get_all_task_defs(self) -> list[JsonObject]:
        """All task definitions."""
        raise NotImplementedError

    def unregister_task_def(self, name: str) -> None:
        """Forget a task definition."""
        raise NotImplementedError
