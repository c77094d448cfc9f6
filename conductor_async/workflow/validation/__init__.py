"""What can be known to be wrong with a definition before it is sent.

`checks` puts it together: `requirements` (what each type of task needs), `places` (which tasks can have run before
which), `texts` and `expressions` (the `${…}` in them), `known_outputs` (the fields that a worker's output has) and
`sendable` (what JSON cannot hold).
"""

from conductor_async.workflow.validation.checks import Known, check, modelled, placed_tasks, problems_of

__all__ = ["Known", "check", "modelled", "placed_tasks", "problems_of"]
