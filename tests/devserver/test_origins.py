"""Requests that web pages of others cause are not answered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx
import pytest

from conductor_async.devserver.origins import why_forbidden
from conductor_async.embedded import EmbeddedConductor

if TYPE_CHECKING:
    from collections.abc import Mapping

FORBIDDEN = [
    {"host": "attacker.example"},
    {"host": "attacker.example:8080"},
    {"host": "127.0.0.1.attacker.example"},
    {"host": "localhost.attacker.example"},
    {"host": "attacker.example."},
    {"host": ""},
    {"host": "user@attacker.example"},
    {"host": "127.0.0.1:8080", "origin": "https://attacker.example"},
    {"host": "127.0.0.1:8080", "origin": "null"},
    {"host": "127.0.0.1:8080", "origin": "http://203.0.113.5"},
    {"host": "127.0.0.1:8080", "origin": "http://localhost.attacker.example"},
    {"host": "localhost", "sec-fetch-site": "cross-site"},
]
ANSWERED = [
    {},
    {"host": "127.0.0.1:8080"},
    {"host": "localhost:8080"},
    {"host": "LOCALHOST"},
    {"host": "app.localhost"},
    {"host": "[::1]:8080"},
    {"host": "192.168.1.5:8080"},
    {"host": "conductor:8080"},
    {"host": "conductor.internal.example:8080"},
    {"host": "127.0.0.1:8080", "origin": "http://localhost:3000", "sec-fetch-site": "cross-site"},
    {"host": "127.0.0.1:8080", "origin": "https://conductor.internal.example"},
    {"host": "localhost:8080", "sec-fetch-site": "same-origin"},
    {"host": "localhost:8080", "sec-fetch-site": "none"},
]
ALLOWED = frozenset({"conductor.internal.example"})


@pytest.mark.parametrize("headers", FORBIDDEN, ids=str)
def test_requests_that_pages_of_others_can_cause_are_forbidden(headers: Mapping[str, str]) -> None:
    assert why_forbidden(headers, ALLOWED)


@pytest.mark.parametrize("headers", ANSWERED, ids=str)
def test_requests_of_programs_and_own_pages_are_answered(headers: Mapping[str, str]) -> None:
    assert why_forbidden(headers, ALLOWED) is None


@pytest.mark.anyio
@pytest.mark.parametrize("options", [{}, {"allow_hosts": ["Team.example"]}], ids=["by default", "allowed"])
async def test_a_page_of_another_site_takes_no_task(options: dict[str, Any]) -> None:
    async with (
        EmbeddedConductor(**options) as embedded,
        embedded.serving() as url,
        httpx.AsyncClient(trust_env=False) as http,
    ):
        response = await http.get(f"{url}/tasks/poll/charge", headers={"Sec-Fetch-Site": "cross-site"})
        assert (response.status_code, response.json()["status"]) == (403, 403)
        assert (await http.get(f"{url}/tasks/poll/charge")).status_code == 204
        rebound = await http.get(f"{url}/version", headers={"Host": "team.example"})
        assert rebound.status_code == (200 if options else 403)
        if not options:
            assert "--allow-host" in rebound.json()["message"]


@pytest.mark.anyio
async def test_the_mounted_app_is_protected_and_the_transport_is_not() -> None:
    async with EmbeddedConductor() as embedded:
        for transport, status in ((httpx.ASGITransport(embedded.app), 403), (embedded.transport, 200)):
            async with httpx.AsyncClient(transport=transport, base_url="http://attacker.example") as http:
                assert (await http.get("/api/version")).status_code == status
