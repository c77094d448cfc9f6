from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from conductor_async.devserver.response import EMPTY, Response
from conductor_async.devserver.routing import Route, RouteTable

if TYPE_CHECKING:
    from conductor_async.devserver.request import Request


def one(_runtime: object, _request: Request) -> Response:
    return EMPTY


def two(_runtime: object, _request: Request) -> Response:
    return EMPTY


def table(*routes: tuple[str, str]) -> RouteTable:
    return RouteTable(Route(method, template, one) for method, template in routes)


def test_a_literal_segment_wins_over_one_that_takes_any_value() -> None:
    both = RouteTable([Route("GET", "/workflow/{workflow_id}", one), Route("GET", "/workflow/search", two)])
    assert both.find("GET", "/workflow/search").handler is two
    assert both.find("GET", "/workflow/x").handler is one


def test_a_literal_segment_without_a_route_is_tried_as_a_value() -> None:
    found = table(("GET", "/tasks/queue/size"), ("GET", "/tasks/{task_id}/log")).find("GET", "/tasks/queue/log")
    assert found.path_parameters == {"task_id": "queue"}


def test_a_literal_for_another_method_does_not_hide_a_value() -> None:
    routes = table(("POST", "/workflow/test"), ("GET", "/workflow/{workflow_id}"))
    assert routes.find("GET", "/workflow/test").path_parameters == {"workflow_id": "test"}


def test_segments_are_decoded_after_the_path_is_split() -> None:
    found = table(("GET", "/metadata/workflow/{name}")).find("GET", "/metadata/workflow/b%20n%C3%A4me")
    assert found.path_parameters == {"name": "b näme"}


def test_a_path_with_other_methods_lists_them() -> None:
    assert table(("POST", "/workflow")).find("GET", "/workflow").methods == ("POST",)


@pytest.mark.parametrize("path", ["/workflow/", "/workflow//status", "/nothing", "/workflow/x/status/y"])
def test_an_unknown_path_has_no_methods(path: str) -> None:
    routes = table(("POST", "/workflow"), ("GET", "/workflow/{workflow_id}/status"))
    assert routes.find("GET", path).methods == ()


def test_two_handlers_for_one_endpoint_are_an_error() -> None:
    with pytest.raises(ValueError, match="two handlers for GET /a"):
        table(("GET", "/a"), ("GET", "/a"))
