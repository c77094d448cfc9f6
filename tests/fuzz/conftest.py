"""The two sides of a comparison."""

from __future__ import annotations

import time
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, NamedTuple

import anyio
import httpx
import pytest

from conductor_async.embedded import EmbeddedConductor
from tests.contract.website import website
from tests.contract.wire import Transport

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator


class Sides(NamedTuple):
    """The same API twice, and the web server that both ask."""

    embedded: Transport
    server: Transport
    site: str


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def site() -> Iterator[str]:
    with website() as url:
        yield url


@pytest.fixture
def sides(server_url: str, site: str, new_name: Callable[[str], str]) -> Callable[[], object]:
    """Opens both: an event loop of its own for each example."""

    @asynccontextmanager
    async def opened() -> AsyncIterator[Sides]:
        async with AsyncExitStack() as stack:
            conductor = await stack.enter_async_context(EmbeddedConductor())
            fast = httpx.AsyncClient(transport=conductor.transport, base_url=conductor.url, trust_env=False)
            slow = httpx.AsyncClient(base_url=server_url, trust_env=False, timeout=30, verify=False)
            for each in (fast, slow):
                await stack.enter_async_context(each)
            embedded = Transport(fast, sleep=conductor.advance, now=conductor.now, name=new_name, step=0.25)
            yield Sides(
                embedded, Transport(slow, sleep=anyio.sleep, now=time.monotonic, name=new_name, step=0.03), site
            )

    return opened
