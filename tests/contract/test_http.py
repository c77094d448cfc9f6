"""CF73: HTTP tasks, against a server of the test's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.website import ANSWERS, website
from tests.contract.wire import Transport, row, task

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.anyio


@pytest.fixture
def site() -> Iterator[str]:
    with website() as url:
        yield url


def http(**request: Any) -> dict[str, Any]:
    return task("HTTP", "h", inputParameters=request)


@pytest.mark.parametrize(
    ("path", "body"), [("/json", {"a": [1, "b"]}), ("/text", "just text"), ("/number", 5.0), ("/list", [1, 2])]
)
async def test_cf73_the_body_of_an_answer(wire: Transport, site: str, path: str, body: Any) -> None:
    execution = await wire.run(http(uri=site + path, method="GET"))
    assert execution["status"] == "COMPLETED"
    response = row(execution, "h")["outputData"]["response"]
    assert (response["statusCode"], response["reasonPhrase"], response["body"]) == (200, "OK", body)
    assert type(response["body"]) is type(body)
    assert response["headers"]["Content-Type"] == [ANSWERS[path][1]]


@pytest.mark.parametrize("nested", [True, False], ids=["under http_request", "at the top"])
async def test_cf73_a_request_with_a_body(wire: Transport, site: str, nested: bool) -> None:
    request = {"uri": site, "method": "POST", "headers": {"X-Test": "${workflow.input.x}"}, "body": {"k": [1]}}
    given = {"http_request": request} if nested else request
    execution = await wire.run(http(**given), input={"x": "v"})
    body = row(execution, "h")["outputData"]["response"]["body"]
    assert (body["body"], body["x"], body["type"].split(";")[0]) == ({"k": [1]}, "v", "application/json")


async def test_cf73_an_answer_that_is_no_success_fails_the_task(wire: Transport, site: str) -> None:
    execution = await wire.run(http(uri=f"{site}/fails", method="GET"))
    failed = row(execution, "h")
    assert (execution["status"], failed["status"]) == ("FAILED", "FAILED")
    assert failed["reasonForIncompletion"].startswith("Failed to invoke HTTP task due to: ")
    assert failed["outputData"]["response"].startswith("java.lang.Exception: 500 ")


async def test_cf73_nobody_listens(wire: Transport) -> None:
    execution = await wire.run(http(uri="http://127.0.0.1:9", method="GET"))
    failed = row(execution, "h")
    assert (execution["status"], failed["status"]) == ("FAILED", "FAILED")
    assert failed["reasonForIncompletion"].startswith("Failed to invoke HTTP task due to: ")
    assert isinstance(failed["outputData"]["response"], str)


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        ("/a b?c=d e", "/a%20b?c=d%20e"),
        ("/ä?q=ö", "/%C3%A4?q=%C3%B6"),
        ("/a%20b", "/a%2520b"),  # a percent sign is a character like others
        ("/a|b?q[0]=<x>", "/a%7Cb?q%5B0%5D=%3Cx%3E"),
        ('/"^`\\\\', "/%22%5E%60%5C%5C"),
        ("/{x", "/%7Bx"),
        ("/{}", "/%7B%7D"),
        ("/?a=1&b=2&a=3#part", "/?a=1&a=3&b=2"),
        ("//a//b ", "/a/b"),
    ],
)
async def test_characters_that_no_uri_has_are_escaped(wire: Transport, site: str, given: str, sent: str) -> None:
    response = row(await wire.run(http(uri=site + given, method="PUT")), "h")["outputData"]["response"]
    assert response["body"]["path"] == sent


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"uri": "/{x}"}, "IllegalArgumentException: Not enough variable values available to expand 'x'"),
        ({"uri": '/?q={"a":1}'}, "IllegalArgumentException: Not enough variable values available to expand '\"a\"'"),
        ({"uri": "/%zz"}, "InvalidUrlException: Bad path"),
        ({"contentType": "bogus"}, "InvalidMediaTypeException: Invalid mime type \"bogus\": does not contain '/'"),
        ({"accept": "bogus"}, "InvalidMediaTypeException: Invalid mime type \"bogus\": does not contain '/'"),
        (
            {"contentType": "application/x-www-form-urlencoded", "body": {"a": 1}},
            'No HttpMessageConverter for java.util.LinkedHashMap and content type "application/x-www-form-urlencoded"',
        ),
        ({"method": "put"}, "IllegalArgumentException: Invalid HTTP method: put"),
    ],
)
async def test_requests_that_the_server_does_not_send(wire: Transport, site: str, request_: Any, message: str) -> None:
    given = {"method": "PUT", **request_, "uri": site + request_.get("uri", "")}
    failed = row(await wire.run(http(**given)), "h")
    assert failed["status"] == "FAILED"
    assert failed["reasonForIncompletion"].endswith(message)


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        (
            "http://no-such-host.invalid/x?q=1",
            '"http://no-such-host.invalid/x": no-such-host.invalid: Name or service not known',
        ),
        ("/x", '"/x": Target host is not specified'),
        ("ftp://127.0.0.1/x", '"ftp://127.0.0.1/x": Unroutable protocol scheme: ftp://127.0.0.1'),
        ("http://127.0.0.1:99999/", "99999 is out of range [-1, 65535]"),
        ("http://a b/", "InvalidUrlException: Bad authority"),
        ("http://u:p@127.0.0.1/x", "Request URI authority contains deprecated userinfo component"),
    ],
)
async def test_uris_that_lead_nowhere(wire: Transport, uri: str, message: str) -> None:
    failed = row(await wire.run(http(uri=uri, method="GET")), "h")
    assert failed["status"] == "FAILED"
    assert failed["reasonForIncompletion"].endswith(message)


async def test_a_form_is_sent_as_the_text_that_it_is(wire: Transport, site: str) -> None:
    form = "application/x-www-form-urlencoded"
    given = http(uri=site, method="PUT", contentType=form, body="a=1&b=x y", headers={"Content-Type": "text/plain"})
    body = row(await wire.run(given), "h")["outputData"]["response"]["body"]
    assert (body["body"], body["type"]) == ("a=1&b=x y", form)


async def test_cf73_no_method(wire: Transport, site: str) -> None:
    failed = row(await wire.run(http(uri=site)), "h")
    assert (failed["status"], failed["reasonForIncompletion"]) == ("FAILED", "No HTTP method specified")
