"""The environments that the kit is tested on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from conductor_async.testing import WorkflowEnvironment

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@pytest.fixture(params=["embedded", pytest.param("server", marks=[pytest.mark.server, pytest.mark.real_server])])
async def env(request: pytest.FixtureRequest, anyio_backend: str) -> AsyncIterator[WorkflowEnvironment]:
    if request.param == "embedded":
        environment = WorkflowEnvironment.embedded()
    else:
        environment = WorkflowEnvironment.connect(request.getfixturevalue("server_url"))
    async with environment:
        yield environment
