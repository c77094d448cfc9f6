"""The settings of a workflow definition, and the variables that an execution starts with."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar, overload

from conductor_async._camel_case import CamelCaseMixin
from conductor_async._language.durations import whole_seconds
from conductor_async.models import CacheConfig, RateLimitConfig, WorkflowDef
from conductor_async.workflow.references import InputValue, Reference

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

    from conductor_async.models import RateLimitPolicy, SchemaDef, TimeoutPolicy

__all__ = ["WorkflowSettings", "WorkflowVariables"]


class WorkflowSettings(CamelCaseMixin):
    """The settings of a workflow: each is a method that returns the workflow. What is not set is not sent."""

    _settings: dict[str, Any]

    @property
    def variables(self) -> WorkflowVariables[Self]:
        """`workflow.variables.x`: a variable; `workflow.variables({"x": 1})` sets the initial variables."""
        return WorkflowVariables(functools.partial(self._set_mapping, "variables"))

    def timeout_policy(self, timeout_policy: TimeoutPolicy | str) -> Self:
        """Sets what happens at the timeout: TIME_OUT_WF ends the execution, ALERT_ONLY (the default) only logs it."""
        return self._set("timeout_policy", WorkflowDef(timeout_policy=timeout_policy).timeout_policy)

    def timeout_seconds(self, timeout_seconds: float | timedelta) -> Self:
        """Sets the timeout of an execution, rounded up to whole seconds; 0 is none. Only TIME_OUT_WF ends it then."""
        return self._set("timeout_seconds", whole_seconds(timeout_seconds, "timeout_seconds"))

    def owner_email(self, owner_email: str) -> Self:
        """Sets the owner's email address. Some servers require it."""
        return self._set("owner_email", owner_email)

    def owner_app(self, owner_app: str) -> Self:
        """Sets the application that the workflow belongs to."""
        return self._set("owner_app", owner_app)

    def failure_workflow(self, failure_workflow: str, version: int | None = None) -> Self:
        """Sets the workflow to start when this one fails or times out."""
        if version is not None:
            self._set("failure_workflow_version", version)
        return self._set("failure_workflow", failure_workflow)

    def restartable(self, restartable: bool) -> Self:
        """Sets whether a completed execution may be restarted."""
        return self._set("restartable", restartable)

    def enable_status_listener(self, sink_name: str | None = None) -> Self:
        """Publishes status changes, to `sink_name` if you give one."""
        if sink_name is None:
            self._settings.pop("workflow_status_listener_sink", None)
        else:
            self._set("workflow_status_listener_sink", sink_name)
        return self._set("workflow_status_listener_enabled", True)

    def disable_status_listener(self) -> Self:
        """Stops publishing status changes."""
        self._settings.pop("workflow_status_listener_sink", None)
        return self._set("workflow_status_listener_enabled", False)

    def input_parameters(self, *input_parameters: str | Sequence[str] | Mapping[str, InputValue]) -> Self:
        """Sets the names of the inputs, for documentation: `["a", "b"]` or `"a", "b"`. A dict is the input template."""
        if len(input_parameters) == 1 and not isinstance(input_parameters[0], str):
            given = input_parameters[0]
            return (
                self.input_template(given) if isinstance(given, Mapping) else self._set("input_parameters", list(given))
            )
        for name in input_parameters:
            if not isinstance(name, str):
                raise TypeError(
                    f"input_parameters takes names, one list of names, or one dict, not {name!r} among others."
                )
        return self._set("input_parameters", list(input_parameters))

    def input_template(self, input_template: Mapping[str, InputValue] | None) -> Self:
        """Sets default inputs. The server uses them only if the start has at least one input."""
        return self._set_mapping("input_template", input_template)

    def workflow_input(self, input: Mapping[str, InputValue] | None) -> Self:  # noqa: A002 - conductor-python's word
        """Sets default inputs: the same as `input_template`."""
        return self.input_template(input)

    def output_parameters(self, output_parameters: Mapping[str, InputValue] | None) -> Self:
        """Sets the output, by name, with references anywhere inside. Default: the output of the last task."""
        return self._set_mapping("output_parameters", output_parameters)

    def output_parameter(self, key: str, value: InputValue) -> Self:
        """Adds one output parameter."""
        return self._set_mapping("output_parameters", {**self._settings.get("output_parameters", {}), key: value})

    def metadata(self, metadata: Mapping[str, InputValue] | None) -> Self:
        """Sets notes in the definition."""
        return self._set_mapping("metadata", metadata)

    def rate_limit(self, key: str, concurrent_exec_limit: int, policy: RateLimitPolicy | str | None = None) -> Self:
        """Limits the concurrent executions with the same key (Orkes; the open-source server ignores it)."""
        limit = RateLimitConfig(rate_limit_key=str(key), concurrent_exec_limit=concurrent_exec_limit)
        if policy is not None:
            limit.policy = policy
        return self._set("rate_limit_config", limit)

    def cache(self, key: str, ttl_seconds: float | timedelta) -> Self:
        """Caches the output of an execution under the key (Orkes; the open-source server ignores it)."""
        return self._set(
            "cache_config", CacheConfig(key=str(key), ttl_in_second=whole_seconds(ttl_seconds, "ttl_seconds"))
        )

    def input_schema(self, input_schema: SchemaDef) -> Self:
        """Sets the schema of the input (Orkes; the open-source server ignores it)."""
        return self._set("input_schema", input_schema)

    def output_schema(self, output_schema: SchemaDef) -> Self:
        """Sets the schema of the output (Orkes; the open-source server ignores it)."""
        return self._set("output_schema", output_schema)

    def enforce_schema(self, enforce_schema: bool) -> Self:
        """Sets whether the schemas are enforced. Default: True."""
        return self._set("enforce_schema", enforce_schema)

    def masked_fields(self, *masked_fields: str) -> Self:
        """Sets the names of inputs and outputs that are masked (Orkes; the open-source server ignores it)."""
        return self._set("masked_fields", list(masked_fields))

    def _set(self, name: str, value: object) -> Self:
        self._settings[name] = value
        return self

    def _set_mapping(self, name: str, mapping: Mapping[str, InputValue] | None) -> Self:
        if not isinstance(mapping, Mapping | None):
            raise TypeError(f"{name} is a dict, not {type(mapping).__name__}.")
        return self._set(name, dict(mapping or {}))


WorkflowT = TypeVar("WorkflowT", bound=WorkflowSettings)
_NOT_GIVEN: Any = object()


class WorkflowVariables(Reference, Generic[WorkflowT]):
    """`workflow.variables`: references to the variables, and the method that sets the initial ones."""

    __slots__ = ("_set_initial",)

    _set_initial: Callable[[Mapping[str, InputValue] | None], WorkflowT]

    def __init__(self, set_initial: Callable[[Mapping[str, InputValue] | None], WorkflowT]) -> None:
        super().__init__("workflow.variables")
        self._set_initial = set_initial

    # None clears the variables, as in conductor-python; in other references None is no path.
    @overload  # type: ignore[override]
    def __call__(self) -> Reference: ...
    @overload
    def __call__(self, json_path: str) -> Reference: ...
    @overload
    def __call__(self, json_path: Mapping[str, InputValue] | None) -> WorkflowT: ...
    def __call__(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, json_path: str | Mapping[str, InputValue] | None = _NOT_GIVEN
    ) -> Reference | WorkflowT:
        """Returns the reference to a variable. With a dict, sets the initial variables and returns the workflow."""
        if json_path is _NOT_GIVEN:
            return self
        if isinstance(json_path, str):
            return self._at(json_path)
        return self._set_initial(json_path)
