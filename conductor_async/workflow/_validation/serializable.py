"""Finds what of a definition cannot be JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from conductor_async.errors import PayloadError
from conductor_async.models import encode_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from conductor_async._language.positions import Position
    from conductor_async.models import JsonObject, JsonValue, WorkflowDef

__all__ = ["unserializable"]

_TASK_LISTS = frozenset({"forkTasks", "decisionCases", "defaultCase", "loopOver"})


def unserializable(definition: WorkflowDef, positions: Sequence[Position]) -> Iterator[str]:
    """Yields the values that cannot be JSON, with their paths."""
    try:
        encode_json(definition)
    except PayloadError:  # names the first such value only: now look for all, piece by piece
        yield from _unserializable_pieces(definition, positions)


def _unserializable_pieces(definition: WorkflowDef, positions: Sequence[Position]) -> Iterator[str]:
    for path, model, fields_of_others in [
        ("", definition, {"tasks"}),
        *((f"{position.path}.", position.task, _TASK_LISTS) for position in positions),
    ]:
        for field, value in model.to_wire().items():
            if field in fields_of_others:
                continue
            for piece in _pieces(value):
                try:
                    encode_json(piece, f"{path}{field}")
                except PayloadError as error:
                    where, _, why = str(error).partition(" cannot be sent as JSON: ")
                    yield f"{where}: it cannot be sent as JSON: {why}"


def _pieces(value: JsonValue) -> Iterator[JsonValue]:
    if isinstance(value, dict):
        yield from ({key: item} for key, item in cast("JsonObject", value).items())
    else:
        yield value
