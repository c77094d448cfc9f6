"""What is known of a workflow besides its definition."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

__all__ = ["OutputFields", "ValidationContext"]

OutputFields: TypeAlias = "Mapping[str, OutputFields | None]"
"""All fields that an output has, each with its own fields; None where these are not known."""


class ValidationContext(NamedTuple):
    """What is known of a workflow besides its definition.

    Attributes:
        outputs: The fields of the tasks' outputs, by reference name, as far as they are known.
        children: The contexts of the workflows inside of it, by the reference name of the task that runs one.
        accepted_problems: Problems to pass over: those that a definition from elsewhere already had.
    """

    outputs: Mapping[str, OutputFields] = {}
    children: Mapping[str, ValidationContext] = {}
    accepted_problems: Collection[str] = ()
