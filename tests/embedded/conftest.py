from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from conductor_async.embedded import EmbeddedConductor

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture
async def embedded() -> AsyncIterator[EmbeddedConductor]:
    async with EmbeddedConductor() as conductor:
        yield conductor


@pytest.fixture
async def skipping() -> AsyncIterator[EmbeddedConductor]:
    async with EmbeddedConductor(clock="skipping") as conductor:
        yield conductor
