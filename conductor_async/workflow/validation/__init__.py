"""What can be known to be wrong with a definition before it is sent.

`checks` puts it together: `requirements` (what each type of task needs), `places` (which tasks can have run before
which), `texts` and `expressions` (the `${…}` in them), `known_outputs` (the fields that a worker's output has),
`sendable` (what JSON cannot hold) and `modelling` (values of the wrong kind).
"""

from conductor_async.workflow.validation.checks import Known, check, placed_tasks, problems_of
from conductor_async.workflow.validation.model_building import build_model, collecting_errors

__all__ = ["Known", "build_model", "check", "collecting_errors", "placed_tasks", "problems_of"]
