"""Queues of tasks: `/tasks/queue`. They are methods of `TaskClient`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conductor_async._http.routes import route
from conductor_async._language.names import checked_name
from conductor_async.errors import ConfigurationError
from conductor_async.models import PollData, Task
from conductor_async.resources._base import Resource

if TYPE_CHECKING:
    from collections.abc import Sequence


class TaskQueues(Resource):
    """The methods of `TaskClient` that read and repair queues."""

    async def get_queue_size_for_task(self, task_type: str, domain: str | None = None) -> int:
        """Returns how many tasks wait in a queue, postponed ones included: GET /tasks/queue/size."""
        checked_name("task type", task_type)
        params = {"taskType": task_type, "domain": domain}
        return await self._api.call("GET", route("/tasks/queue/size"), params=params, returns=int)

    async def get_queue_sizes_for_tasks(self, task_types: Sequence[str]) -> dict[str, int]:
        """Returns how many tasks wait, by task type: GET /tasks/queue/sizes."""
        if not task_types:
            raise ConfigurationError("get_queue_sizes_for_tasks needs at least one task type")
        params = {"taskType": list(task_types)}
        return await self._api.call("GET", route("/tasks/queue/sizes"), params=params, returns=dict[str, int])

    async def get_all_queue_sizes(self) -> dict[str, int]:
        """Returns how many messages wait in every queue, the server's own included: GET /tasks/queue/all."""
        return await self._api.call("GET", route("/tasks/queue/all"), returns=dict[str, int])

    async def get_all_queue_details(self) -> dict[str, dict[str, dict[str, int]]]:
        """Returns size and unacknowledged messages of every queue: GET /tasks/queue/all/verbose."""
        return await self._api.call(
            "GET", route("/tasks/queue/all/verbose"), returns=dict[str, dict[str, dict[str, int]]]
        )

    async def get_task_poll_data(self, task_type: str) -> list[PollData]:
        """Returns who polled a task type last, and when: GET /tasks/queue/polldata."""
        checked_name("task type", task_type)
        params = {"taskType": task_type}
        return await self._api.call("GET", route("/tasks/queue/polldata"), params=params, returns=list[PollData])

    async def get_all_poll_data(self) -> list[PollData]:
        """Returns who polled each task type last, and when: GET /tasks/queue/polldata/all."""
        return await self._api.call("GET", route("/tasks/queue/polldata/all"), returns=list[PollData])

    async def get_pending_tasks(self, task_type: str, start: int = 0, count: int = 100) -> list[Task]:
        """Returns the SCHEDULED and IN_PROGRESS tasks of a type: GET /admin/task/{task_type}.

        Args:
            task_type: The task's name.
            start: How many to skip.
            count: How many to return.
        """
        return await self._api.call(
            "GET",
            route("/admin/task/{task_type}", task_type=task_type),
            params={"start": start, "count": count},
            returns=list[Task],
        )

    async def requeue_pending_tasks(self, task_type: str) -> str:
        """Puts pending tasks of a type back into its queue: POST /tasks/queue/requeue/{task_type}.

        Returns:
            How many, as the server's text.
        """
        return await self._api.call(
            "POST", route("/tasks/queue/requeue/{task_type}", task_type=task_type), returns=str, repeatable=True
        )
