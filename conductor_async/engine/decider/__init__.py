"""What happens inside an execution: what is next, tasks that are handed out, reported, timed out, retried."""

import conductor_async.engine.task_kinds  # noqa: F401 - first: the floors are not yet apart
