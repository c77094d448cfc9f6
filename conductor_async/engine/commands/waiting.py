"""What `/workflow/execute` and signals wait for. The runtime asks again whenever `on_change` says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from conductor_async.models import JsonObject

__all__ = ["WaitingQueries"]


class WaitingQueries:
    """What `/workflow/execute` and signals wait for. The runtime asks again whenever `on_change` says so."""

    def wait_reached(self, workflow_id: str, wait_until_task_refs: Sequence[str] = ()) -> bool:
        """Whether a synchronous execution answers now: it ended, blocks at a WAIT, or one of the tasks ended."""
        raise NotImplementedError

    def run_view(
        self,
        workflow_id: str,
        *,
        return_strategy: str = "TARGET_WORKFLOW",
        request_id: str = "",
        signal_timeout: bool = False,
    ) -> JsonObject:
        """The WorkflowRun or TaskRun that a synchronous execution or signal answers."""
        raise NotImplementedError
