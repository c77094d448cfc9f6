"""A kit for testing workflows: a Conductor to run them on, mocks, assertions, recordings.

```python
async with WorkflowEnvironment.embedded() as env:
    env.mock("charge", output={"receipt": 7})
    workflow = ConductorWorkflow(executor=env.client.executor, name="orders") >> SimpleTask("charge", "charge_ref")
    run = await workflow.execute({"order": 1})
    assert_completed(run, {"receipt": 7})
```
"""

from conductor_async.embedded import TIMES_OUT, Mock, MockAnswer
from conductor_async.testing._assertions import (
    assert_completed,
    assert_failed,
    assert_no_task,
    assert_path,
    assert_status,
    assert_task,
)
from conductor_async.testing._environment import WorkflowEnvironment
from conductor_async.testing._recording import Recording, capture
from conductor_async.testing._redaction import Redaction
from conductor_async.testing._replay import assert_replays, replay
from conductor_async.testing._task_replay import assert_task_replays, replay_task
from conductor_async.testing._tree import execution_tree

__all__ = [
    "TIMES_OUT",
    "Mock",
    "MockAnswer",
    "Recording",
    "Redaction",
    "WorkflowEnvironment",
    "assert_completed",
    "assert_failed",
    "assert_no_task",
    "assert_path",
    "assert_replays",
    "assert_status",
    "assert_task",
    "assert_task_replays",
    "capture",
    "execution_tree",
    "replay",
    "replay_task",
]
