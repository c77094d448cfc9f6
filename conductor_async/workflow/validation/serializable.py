"""What of a definition cannot be JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from conductor_async.errors import PayloadError
from conductor_async.models import encode_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conductor_async._language.positions import Place
    from conductor_async.models import JsonObject, JsonValue, WorkflowDef

__all__ = ["unserializable"]


def unserializable(definition: WorkflowDef, places: list[Place]) -> Iterator[str]:
    """What cannot be JSON: looked for piece by piece only if the whole cannot be sent."""
    try:
        encode_json(definition)
    except PayloadError:
        yield from _unserializable_pieces(definition, places)


def _unserializable_pieces(definition: WorkflowDef, places: list[Place]) -> Iterator[str]:
    for path, model, around in [
        ("", definition, {"tasks"}),
        *((f"{place.path}.", place.task, _CHILDREN) for place in places),
    ]:
        for field, value in model.to_wire().items():
            if field in around:
                continue
            for piece in _pieces(value):
                try:
                    encode_json(piece, f"{path}{field}")
                except PayloadError as error:
                    where, _, what = str(error).partition(" cannot be sent as JSON: ")
                    yield f"{where}: it cannot be sent as JSON: {what}"


def _pieces(value: JsonValue) -> Iterator[JsonValue]:
    if isinstance(value, dict):
        yield from ({key: item} for key, item in cast("JsonObject", value).items())
    else:
        yield value


_CHILDREN = frozenset({"forkTasks", "decisionCases", "defaultCase", "loopOver"})
