"""Every async test here runs on both event loops: what is tested touches sockets, cancellation and task groups."""

from __future__ import annotations

import pytest


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    return request.param
