"""The scenarios' backends: the embedded engine, whose clock is moved by hand, and a real server."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import anyio
import httpx
import pytest

from conductor_async.embedded import EmbeddedConductor
from tests.contract.wire import Transport

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"  # what is asked here is the same bytes from any event loop


# On the real server these comparisons meet its races (`embedded-differences.md`): there they are among the long tests.
@pytest.fixture(
    params=[
        "embedded",
        pytest.param("server", marks=[pytest.mark.server, pytest.mark.real_server, pytest.mark.thorough]),
    ]
)
async def wire(request: pytest.FixtureRequest, new_name: Callable[[str], str]) -> AsyncIterator[Transport]:
    if request.param == "embedded":
        async with EmbeddedConductor() as embedded, over_asgi(embedded) as http:
            yield Transport(http, sleep=embedded.advance, now=embedded.now, name=new_name, step=0.25)
    else:
        url = request.getfixturevalue("server_url")
        async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=30, verify=False) as http:
            yield Transport(http, sleep=anyio.sleep, now=time.monotonic, name=new_name, step=0.05)


def over_asgi(embedded: EmbeddedConductor) -> httpx.AsyncClient:
    """The bytes that any client gets, beside the shortcut that ours takes."""
    transport = httpx.ASGITransport(app=embedded.app)
    return httpx.AsyncClient(transport=transport, base_url="http://embedded/api", trust_env=False)
