"""A client of the Conductor that the tests run on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from conductor_async import ConductorClient

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture
async def conductor(server_url: str, anyio_backend: str) -> AsyncIterator[ConductorClient]:
    async with ConductorClient(server_url) as client:
        yield client
