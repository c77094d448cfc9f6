"""Fixtures of all tests. Those on the real server share one, started when the first of them needs it."""

from __future__ import annotations

import logging
import os
import uuid
from typing import TYPE_CHECKING

import pytest
from anyio.from_thread import start_blocking_portal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture(scope="session")
def server_url(pytestconfig: pytest.Config) -> Iterator[str]:
    """The API's URL of a real Conductor server.

    CONDUCTOR_TEST_SERVER_URL or `--conductor` names one that runs already; `embedded` is an embedded one, on a port.
    """
    url = pytestconfig.getoption("--conductor", default=None) or os.environ.get("CONDUCTOR_TEST_SERVER_URL")
    if url == "embedded":
        from conductor_async.embedded import EmbeddedConductor

        with (
            start_blocking_portal() as portal,
            portal.wrap_async_context_manager(EmbeddedConductor()) as embedded,
            portal.wrap_async_context_manager(embedded.serving()) as served,
        ):
            yield served
        return
    if url and url != "local":
        yield url
        return
    from conductor_async.localserver import LocalServer

    with start_blocking_portal() as portal, portal.wrap_async_context_manager(LocalServer()) as server:
        yield server.url


@pytest.fixture
def new_name(request: pytest.FixtureRequest) -> Callable[[str], str]:
    """Makes names that no other test uses: `new_name("greet")`."""
    run = uuid.uuid4().hex[:8]
    return lambda what: f"{what}_{run}"


@pytest.fixture(autouse=True)
def _no_server_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CONDUCTOR_SERVER_URL", "CONDUCTOR_AUTH_KEY", "CONDUCTOR_AUTH_SECRET"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True)
def _log_level() -> Iterator[None]:
    """`Configuration(debug=True)` raises the level for the whole process: not beyond the test that does it."""
    logger = logging.getLogger("conductor_async")
    level = logger.level
    yield
    logger.setLevel(level)


@pytest.fixture(params=[pytest.param("asyncio", id="asyncio"), pytest.param("trio", id="trio")])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """Tests marked `anyio` run on both event loops."""
    return request.param
