"""Every setting of a configuration, valid and invalid, and its effect."""

from __future__ import annotations

import copy
import warnings
from datetime import timedelta
from typing import Any

import pytest

from conductor_async import AuthenticationSettings, Configuration, ConfigurationError, Limits, RetryPolicy
from conductor_async.client import ConductorClient
from conductor_async.compat import OrkesClients
from tests.fakes.cases import each_case
from tests.fakes.clients import client_of
from tests.fakes.http_server import respond, serve


@each_case(
    ("given", "url"),
    [
        ("http://localhost:8080", "http://localhost:8080/api"),
        ("http://localhost:8080/", "http://localhost:8080/api"),
        ("http://localhost:8080/api", "http://localhost:8080/api"),
        ("http://localhost:8080/api/", "http://localhost:8080/api"),
        ("http://localhost:8080//api//", "http://localhost:8080/api"),
        ("https://host.example/conductor/api/", "https://host.example/conductor/api"),
        ("https://host.example/conductor", "https://host.example/conductor"),
        ("  http://localhost:8080/api\n", "http://localhost:8080/api"),
        ("HTTP://LocalHost:8080/Api", "http://localhost:8080/Api"),
        ("http://[::1]:8080", "http://[::1]:8080/api"),
        ("http://[2001:db8::7]/api", "http://[2001:db8::7]/api"),
        ("http://ada:pw@localhost:8080/api", "http://localhost:8080/api"),
        ("http://host.example:80/api", "http://host.example:80/api"),
        ("http://host.example./api", "http://host.example./api"),
        ("http://my_service:8080", "http://my_service:8080/api"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080/api"),
        ("http://bücher.example/api", "http://bücher.example/api"),
        ("http://ada:p@ss:wörd@host/api", "http://host/api"),
    ],
)
def test_urls_are_normalized(given: str, url: str) -> None:
    assert Configuration(given).server_api_url == url


@each_case(
    "url",
    [
        "localhost:8080/api",
        "//localhost/api",
        "ftp://localhost/api",
        "http://",
        "http:///api",
        "http://localhost:port",
        "http://localhost:99999/api",
        "http://[::1/api",
        "http://localhost/api?x=1",
        "http://localhost/api#x",
        "/api",
        "http://ada:c4n4ry@/api",
        "ftp://ada:c4n4ry@h",
        "http://ada:c4n4ry@h/api?x",
        "http://ada:c4n4ry/more@h/api",
        "http://exa mple/api",
        "http://exa\tmple/api",
        "http://exa\nmple/api",
        "http://exa\x00mple/api",
        "http://exa\u202emple/api",
        "http://exa\\mple/api",
        "http://exa%20mple/api",
        "http://exa<mple/api",
        "http://exa..mple/api",
        "http://-example/api",
        f"http://{'a' * 64}/api",
        "http://" + "a." * 130 + "b/api",
        "http://300.1.1.1/api",
        "http://[::x]/api",
        "http://localhost:0/api",
        "http://localhost:-1/api",
        "http://localhost:80 80/api",
        "http://localhost/api?",
        "http://localhost/api#",
        "http://localhost/a\r\nHost: evil/api",
    ],
)
def test_invalid_urls_are_rejected_without_showing_their_password(url: str) -> None:
    with pytest.raises(ConfigurationError, match="server_api_url") as caught:
        Configuration(url)
    assert "c4n4ry" not in str(caught.value)
    assert str(caught.value).isprintable()
    assert isinstance(caught.value, ValueError)


def test_a_url_that_is_no_text_is_rejected() -> None:
    with pytest.raises(ConfigurationError, match="server_api_url must be a string, not int"):
        Configuration(8080)  # type: ignore[arg-type]


def test_arguments_take_precedence_over_the_environment_over_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Configuration().server_api_url == "http://localhost:8080/api"
    assert Configuration().authentication_settings is None
    monkeypatch.setenv("CONDUCTOR_SERVER_URL", "http://from-environment:1/")
    monkeypatch.setenv("CONDUCTOR_AUTH_KEY", "key-e")
    monkeypatch.setenv("CONDUCTOR_AUTH_SECRET", "secret-e")
    found = Configuration()
    assert found.server_api_url == "http://from-environment:1/api"
    assert found.authentication_settings == AuthenticationSettings("key-e", "secret-e")
    mine = AuthenticationSettings(key_id="k", key_secret="s")
    assert Configuration("http://mine/api", authentication_settings=mine).server_api_url == "http://mine/api"
    assert Configuration("http://mine/api", False, mine).authentication_settings is mine
    monkeypatch.setenv("CONDUCTOR_SERVER_URL", "")
    assert Configuration().server_api_url == "http://localhost:8080/api"


def test_the_environment_is_read_when_a_configuration_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONDUCTOR_SERVER_URL", "http://one")
    client = ConductorClient()
    monkeypatch.setenv("CONDUCTOR_SERVER_URL", "http://two")
    assert client.configuration.server_api_url == "http://one/api"
    assert ConductorClient().configuration.server_api_url == "http://two/api"
    assert OrkesClients().configuration.server_api_url == "http://two/api"


@pytest.mark.parametrize(("given", "missing"), [("KEY", "SECRET"), ("SECRET", "KEY")])
def test_a_missing_half_of_the_key_in_the_environment_is_named(
    given: str, missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"CONDUCTOR_AUTH_{given}", "c4n4ry")
    with pytest.raises(ConfigurationError, match=f"CONDUCTOR_AUTH_{missing} is not") as caught:
        Configuration()
    assert "c4n4ry" not in str(caught.value)


@each_case("half", [{"key_id": "a", "key_secret": ""}, {"key_id": "", "key_secret": "b"}])
def test_half_a_key_is_rejected(half: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError, match="is empty"):
        AuthenticationSettings(**half)


def test_durations_are_seconds_or_timedeltas() -> None:
    found = Configuration(
        timeout=timedelta(minutes=2),
        connect_timeout=timedelta(milliseconds=500),
        auth_token_ttl=60,
        retry=RetryPolicy(base_delay=timedelta(milliseconds=250), max_delay=3, max_retry_after=timedelta(seconds=9)),
        limits=Limits(keepalive_expiry=timedelta(seconds=7)),
    )
    assert (found.timeout, found.connect_timeout, found.auth_token_ttl) == (120.0, 0.5, 60.0)
    assert (found.retry.base_delay, found.retry.max_delay, found.retry.max_retry_after) == (0.25, 3.0, 9.0)
    assert found.limits.keepalive_expiry == 7.0
    client = ConductorClient(found).with_options(timeout=timedelta(seconds=3))
    assert client._api.timeout == 3.0


@each_case("bad", [0, -1, float("nan"), "5", True, timedelta(0), timedelta(seconds=-1)])
@each_case("name", ["timeout", "connect_timeout", "auth_token_ttl"])
def test_invalid_durations_are_rejected(name: str, bad: Any) -> None:
    with pytest.raises(ConfigurationError, match=f"{name} must be"):
        Configuration(**{name: bad})


@each_case(
    ("make", "said"),
    [
        (lambda: RetryPolicy(max_attempts=0), "max_attempts"),
        (lambda: RetryPolicy(base_delay=-1), "base_delay"),
        (lambda: RetryPolicy(max_delay=float("nan")), "max_delay"),
        (lambda: Limits(max_connections=0), "max_connections"),
        (lambda: Limits(keepalive_expiry="10"), "keepalive_expiry"),
        (lambda: Configuration(headers={"X Y": "a"}), "valid name of an HTTP header"),
        (lambda: Configuration(headers={"X": "a\r\nY: b"}), "line breaks"),
        (lambda: Configuration(headers={"X": 5}), "string"),
        (lambda: Configuration(headers={"X": "\udc80"}), "'X'"),
        (lambda: Configuration(headers={"content-TYPE": "text/xml"}), "set by each request"),
        (lambda: ConductorClient("http://x").with_options(timeout=0), "timeout"),
    ],
)
def test_other_invalid_settings_are_rejected(make: Any, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        make()


def test_passwords_appear_nowhere() -> None:
    found = Configuration(
        "http://ada:c4n4ry@host/api",
        authentication_settings=AuthenticationSettings("c4n4ry-k", "c4n4ry-s"),
        proxy="http://ada:c4n4ry@proxy",
        headers={"X-Key": "c4n4ry"},
    )
    client = ConductorClient(found)
    for each in (found, client, found.authentication_settings, client.workflow, client._api):
        assert "c4n4ry" not in f"{each!r} {each}"
    assert copy.copy(found.authentication_settings) == found.authentication_settings


@pytest.mark.anyio
async def test_a_password_in_the_url_is_basic_authentication() -> None:
    async with serve(respond(json=[])) as server:
        async with client_of(server.url.replace("//", "//ada%40x:p%3Aw@")) as client:
            await client.metadata.get_all_task_defs()
        assert server.requests[0].headers["authorization"] == "Basic YWRhQHg6cDp3"
        assert "@" not in server.requests[0].target + server.requests[0].headers["host"]


@pytest.mark.anyio
async def test_headers_and_user_agent() -> None:
    async with serve(respond(json=[])) as server:
        async with client_of(server, headers={"X-Team": "blau-grün"}) as client:
            await client.metadata.get_all_task_defs()
        headers = server.requests[0].headers
        assert headers["x-team"].encode("latin-1").decode() == "blau-grün"
        assert headers["user-agent"].startswith("conductor-async/")
        assert headers["host"] == f"localhost:{server.port}"


@pytest.mark.anyio
async def test_an_ipv6_address_works() -> None:
    async with serve(respond(json=[]), host="::1") as server:
        async with client_of(f"http://[::1]:{server.port}") as client:
            assert await client.metadata.get_all_task_defs() == []
        assert server.requests[0].headers["host"] == f"[::1]:{server.port}"


@pytest.mark.anyio
async def test_a_url_is_quoted_where_necessary_and_names_completely() -> None:
    async with serve(respond(json={"workflowId": "w", "status": "RUNNING"})) as server:
        async with client_of(f"http://localhost:{server.port}/ein pfad/ü") as client:
            await client.workflow.get_workflow_status("a;b c%3B")
        path = server.requests[0].target.partition("?")[0]
        assert path == "/ein%20pfad/%C3%BC/workflow/a%3Bb%20c%253B/status"


def test_an_ordinary_configuration_causes_no_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Configuration(verify="/some/ca.pem", cert=("a", "b"), proxy="http://p", trust_env=False)
