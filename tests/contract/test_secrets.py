"""Secrets, and the state of health: what a server with its AI module, as it comes, has under `/api`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.contract.wire import Transport

pytestmark = pytest.mark.anyio


@pytest.fixture
async def secrets(wire: Transport) -> Transport:
    """A Conductor that has these endpoints; a server without AI lists the names only."""
    if (await wire.call("GET", "secrets", "v2")).status_code == 404:
        pytest.skip("the server runs without AI")
    return wire


async def test_secrets_are_read_only(secrets: Transport) -> None:
    for method in ("PUT", "DELETE"):
        response = await secrets.call(method, "secrets", "NEW", body="value" if method == "PUT" else None)
        assert (response.status_code, response.text) == (501, "env-backed secrets are read-only")
    response = await secrets.http.put("/secrets/NEW")
    assert (response.status_code, response.text) == (400, "value is required")


async def test_a_secret_that_there_is_not(secrets: Transport) -> None:
    response = await secrets.call("GET", "secrets", "NONE")
    assert (response.status_code, response.content) == (404, b"")
    assert await secrets.get("secrets", "NONE", "exists") is False


async def test_names_of_secrets(secrets: Transport) -> None:
    names = await secrets.get("secrets")
    assert await secrets.post("secrets") == names
    assert [each["name"] for each in await secrets.get("secrets", "v2")] == names


async def test_health(wire: Transport) -> None:
    assert (await wire.get("health"))["healthy"] is True
