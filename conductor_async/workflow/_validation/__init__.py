"""Finds what is wrong with a definition before it is sent. No I/O.

`checks` finds the problems of a definition and its tasks, by the rules of `conductor_async._language.task_rules`;
`expression_checks` those of the `${…}` in it. `known_outputs` has the fields of workers' outputs, `serializable` finds
what JSON cannot hold, and `model_building` values of the wrong type.
"""

from conductor_async.workflow._validation.checks import check, problems_of
from conductor_async.workflow._validation.context import OutputFields, ValidationContext
from conductor_async.workflow._validation.model_building import build_model, collecting_errors

__all__ = ["OutputFields", "ValidationContext", "build_model", "check", "collecting_errors", "problems_of"]
