"""Which handler a path leads to. As in the real server, a literal segment wins over one that takes any value."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from conductor_async.devserver.request import Request
    from conductor_async.devserver.runtime import Runtime

    Handler = Callable[[Runtime, Request], Any]

__all__ = ["Match", "Route", "RouteTable"]


@dataclass(frozen=True, slots=True)
class Route:
    """An endpoint.

    Attributes:
        method: The HTTP method.
        template: The path, such as `/workflow/{workflow_id}/pause`.
        handler: Returns the JSON of the response, None for an empty one, or a `Response`; async if it waits.
    """

    method: str
    template: str
    handler: Handler


@dataclass(slots=True)
class _Node:
    literals: dict[str, _Node] = field(default_factory=dict[str, "_Node"])
    variable: _Node | None = None
    routes: dict[str, tuple[Handler, tuple[str, ...]]] = field(
        default_factory=dict[str, "tuple[Handler, tuple[str, ...]]"]
    )


class Match(NamedTuple):
    """What a path leads to.

    Attributes:
        handler: The handler for the method; None if the path does not have the method.
        path_parameters: The values in the path, decoded.
        methods: The methods that the path has; empty if there is no such path.
    """

    handler: Handler | None
    path_parameters: dict[str, str]
    methods: tuple[str, ...]


class RouteTable:
    """All endpoints, as a tree of path segments: the time of a lookup does not depend on how many there are."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._root = _Node()
        for route in routes:
            self._add(route)

    def _add(self, route: Route) -> None:
        node, names = self._root, list[str]()
        for segment in route.template.split("/")[1:]:
            if segment.startswith("{"):
                names.append(segment[1:-1])
                if node.variable is None:
                    node.variable = _Node()
                node = node.variable
            else:
                node = node.literals.setdefault(segment, _Node())
        if route.method in node.routes:
            raise ValueError(f"There are two handlers for {route.method} {route.template}")
        node.routes[route.method] = (route.handler, tuple(names))

    def find(self, method: str, path: str) -> Match:
        """Returns what `method` on `path`, which is percent-encoded, leads to."""
        methods: dict[str, None] = {}
        for node, values in _matches(self._root, path.split("/")[1:], ()):
            if method in node.routes:
                handler, names = node.routes[method]
                return Match(handler, dict(zip(names, map(unquote, values), strict=True)), (method,))
            methods |= dict.fromkeys(node.routes)
        return Match(None, {}, tuple(methods))


def _matches(node: _Node, segments: list[str], values: tuple[str, ...]) -> Iterator[tuple[_Node, tuple[str, ...]]]:
    """Yields the nodes with routes that the segments lead to, the most literal first."""
    if not segments:
        if node.routes:
            yield node, values
        return
    first, *rest = segments
    if literal := node.literals.get(first):
        yield from _matches(literal, rest, values)
    if node.variable is not None and first:
        yield from _matches(node.variable, rest, (*values, first))
